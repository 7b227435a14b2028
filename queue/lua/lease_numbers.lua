-- lease_numbers gives out a block of sequence numbers of one day.
-- KEYS[1] numbers:<day>
-- ARGV[1] how many  ARGV[2] the highest that this gateway knows to be given out
-- ARGV[3] the day's last  ARGV[4] seconds to keep the key
-- Returns {first, last}, or {0, 0} where the day has no more.
-- ARGV[1] = 0 only lifts the counter to ARGV[2].
local high = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[2]))
local last = math.min(high + tonumber(ARGV[1]), tonumber(ARGV[3]))
redis.call('SET', KEYS[1], last, 'EX', ARGV[4])
if last <= high then return {0, 0} end
return {high + 1, last}
