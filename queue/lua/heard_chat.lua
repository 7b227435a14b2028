-- heard_chat notes the last message that a browser of a session has heard. Two
-- tabs may say so in any order: the highest stays.
-- KEYS[1] chat:<session>:notes
-- ARGV[1] sequence number  ARGV[2] seconds to keep
-- Returns the highest.
local before = tonumber(redis.call('HGET', KEYS[1], 'heard') or 0)
if before >= tonumber(ARGV[1]) then return before end
redis.call('HSET', KEYS[1], 'heard', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return tonumber(ARGV[1])
