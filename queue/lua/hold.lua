-- hold takes or renews a lease.
-- KEYS[1] lease:<name>  KEYS[2] fence:<name>
-- ARGV[1] holder  ARGV[2] milliseconds  ARGV[3] "renew" or "take"
-- Returns the fencing token, or 0 where somebody else holds it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if holder and ARGV[3] == 'renew' then return tonumber(redis.call('GET', KEYS[2]) or '1') end
return redis.call('INCR', KEYS[2])
