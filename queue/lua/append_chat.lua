-- append_chat adds a message to a session's log, once for each message id.
-- KEYS[1] chat:<session>  KEYS[2] chat:<session>:ids  KEYS[3] chat:<session>:notes
-- ARGV[1] message id  ARGV[2] message, JSON  ARGV[3] most messages
-- ARGV[4] seconds to keep  ARGV[5] pub/sub channel  ARGV[6] session
-- Returns the message's sequence number (0 where the log is full), the last
-- one that was heard, and 1 where the customer ended the chat.
local function place(seq)
  local notes = redis.call('HMGET', KEYS[3], 'heard', 'gone')
  return {tonumber(seq), tonumber(notes[1] or 0), notes[2] and 1 or 0}
end
local seq = redis.call('HGET', KEYS[2], ARGV[1])
if seq then return place(seq) end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return place(0) end
seq = redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], seq)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return place(seq)
