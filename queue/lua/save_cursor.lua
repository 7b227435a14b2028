-- save_cursor remembers a position, unless a later holder of the lease has
-- written it since.
-- KEYS[1] cursor:<name>
-- ARGV[1] fencing token  ARGV[2] position  ARGV[3] stamp
-- Returns 1, or 0 where it was refused.
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
if tonumber(ARGV[1]) < fence then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'position', ARGV[2], 'stamp', ARGV[3])
return 1
