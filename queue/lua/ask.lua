-- ask has the dispatcher find another lead for a complaint.
-- KEYS[1] intake  KEYS[2] complaint:<number>  KEYS[3] accept
-- ARGV[1] id  ARGV[2] number  ARGV[3] event  ARGV[4] by  ARGV[5] reason  ARGV[6] lead
-- ARGV[7] the time (ms) that ran out, "" where it is not about time
-- Returns 1, or 0 where the time is another meanwhile or the complaint is gone.
if ARGV[7] ~= '' then
  if redis.call('ZSCORE', KEYS[3], ARGV[2]) ~= ARGV[7] then return 0 end
  redis.call('ZREM', KEYS[3], ARGV[2])
end
local record = redis.call('HMGET', KEYS[2], 'again', 'record', 'last')
local text = record[1] or record[2] or record[3]
if not text then return 0 end
redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'number', ARGV[2], 'event', ARGV[3], 'by', ARGV[4],
  'reason', ARGV[5], 'lead', ARGV[6], 'record', text)
return 1
