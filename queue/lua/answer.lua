-- answer books an update on its complaint and queues what is to be said to
-- the customer, once for each entry of the updates stream.
-- KEYS[1] updates  KEYS[2] complaint:<number>  KEYS[3] history:<number>  KEYS[4] replies:<channel>
-- KEYS[5] intake  KEYS[6] accept
-- ARGV[1] group  ARGV[2] entry  ARGV[3] number  ARGV[4] status ("": it stays)
-- ARGV[5] history ("" for none)
-- ARGV[6] reply id  ARGV[7] reply, JSON ("" for none)  ARGV[8] remember (seconds)
-- ARGV[9] the id under which the lead's returning it goes to the dispatcher, ""
--   for an update that says something else: then the complaint has been taken
-- ARGV[10] by  ARGV[11] the reason  ARGV[12] who leads it
-- Returns 1, or 0 where the entry had been answered before.
local done = redis.call('HSETNX', KEYS[2], 'update:' .. ARGV[2], ARGV[4])
if done == 1 then
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], 'status', ARGV[4]) end
  redis.call('EXPIRE', KEYS[2], ARGV[8])
  if ARGV[5] ~= '' then
    redis.call('RPUSH', KEYS[3], ARGV[5])
    redis.call('LTRIM', KEYS[3], -500, -1)
    redis.call('EXPIRE', KEYS[3], ARGV[8])
  end
  if ARGV[9] ~= '' then
    local record = redis.call('HMGET', KEYS[2], 'again', 'record', 'last')
    redis.call('XADD', KEYS[5], '*', 'id', ARGV[9], 'number', ARGV[3], 'event', 'returned', 'by', ARGV[10],
      'reason', ARGV[11], 'lead', ARGV[12], 'record', record[1] or record[2] or record[3] or '')
  elseif ARGV[4] ~= '' then
    redis.call('ZREM', KEYS[6], ARGV[3])
  end
  if ARGV[7] ~= '' then
    redis.call('XADD', KEYS[4], '*', 'id', ARGV[6], 'number', ARGV[3], 'reply', ARGV[7])
  end
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return done
