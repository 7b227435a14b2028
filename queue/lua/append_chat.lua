-- append_chat adds messages to a session's log, once for each message id.
-- KEYS[1] chat:<session>  KEYS[2] chat:<session>:ids  KEYS[3] chat:<session>:notes
-- ARGV[1] most messages  ARGV[2] seconds to keep  ARGV[3] pub/sub channel
-- ARGV[4] session  ARGV[5] message id  ARGV[6] message, JSON, and so on
-- Returns the last one's sequence number (0 where the log is full), the last
-- one that was heard, and 1 where the customer ended the chat.
local seq, new = 0, false
for i = 5, #ARGV, 2 do
  seq = redis.call('HGET', KEYS[2], ARGV[i])
  if not seq then
    if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[1]) then
      seq = 0
      break
    end
    seq = redis.call('RPUSH', KEYS[1], ARGV[i + 1])
    redis.call('HSET', KEYS[2], ARGV[i], seq)
    new = true
  end
end
if new then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
local notes = redis.call('HMGET', KEYS[3], 'heard', 'gone')
return {tonumber(seq), tonumber(notes[1] or 0), notes[2] and 1 or 0}
