-- append_chat adds a message to a session's log, once for each message id.
-- KEYS[1] chat:<session>  KEYS[2] chat:<session>:ids
-- ARGV[1] message id  ARGV[2] message, JSON  ARGV[3] most messages
-- ARGV[4] seconds to keep  ARGV[5] pub/sub channel  ARGV[6] session
-- Returns the message's sequence number, or 0 where the log is full.
local seq = redis.call('HGET', KEYS[2], ARGV[1])
if seq then return tonumber(seq) end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
seq = redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], seq)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return seq
