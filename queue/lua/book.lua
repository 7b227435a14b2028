-- book adds an event to a complaint's history, once for each id.
-- KEYS[1] complaint:<number>  KEYS[2] history:<number>
-- ARGV[1] id  ARGV[2] history line, JSON  ARGV[3] remember (seconds)
-- Returns 1, 0 where it was booked before, or -1 where there is no such complaint.
if not redis.call('HGET', KEYS[1], 'id') then return -1 end
local done = redis.call('HSETNX', KEYS[1], 'booked:' .. ARGV[1], '1')
if done == 1 then
  redis.call('RPUSH', KEYS[2], ARGV[2])
  redis.call('LTRIM', KEYS[2], -500, -1)
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return done
