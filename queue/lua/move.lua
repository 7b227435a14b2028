-- move puts a batch of records on their departments' streams, each once, and
-- takes them off the intake.
-- KEYS[1] intake  KEYS[2] departments (the set of streams that exist)
-- then for every record: record:<id>, complaint:<number>, history:<number>,
--   and its departments' streams, the lead's first
-- ARGV[1] the consumer group
-- then for every record: JSON {streams, id, entry, number, event, type, priority,
--   route (JSON, "" for a supplement), again (bool: it replaces the route that
--   there is), dedupe, remember, history}, and the record, JSON
-- Returns a list of 1 (moved) and 0 (had been moved before), one a record.
local k, out = 3, {}
for i = 2, #ARGV, 2 do
  local a = cjson.decode(ARGV[i])
  local record = ARGV[i + 1]
  local done = redis.call('HSETNX', KEYS[k], 'moved', a.entry)
  if done == 1 then
    redis.call('EXPIRE', KEYS[k], a.dedupe)
    for s = 1, a.streams do
      local stream = KEYS[k + 2 + s]
      local role = 'collaborator'
      if s == 1 then role = 'lead' end
      redis.call('XADD', stream, '*', 'id', a.id, 'number', a.number, 'event', a.event, 'role', role,
        'type', a.type, 'priority', a.priority, 'record', record)
      redis.call('SADD', KEYS[2], stream)
    end
    if a.route ~= '' then
      if a.again then
        redis.call('HSET', KEYS[k + 1], 'route', a.route, 'again', record)
      else
        redis.call('HSETNX', KEYS[k + 1], 'route', a.route)
      end
      redis.call('EXPIRE', KEYS[k + 1], a.remember)
    end
    redis.call('RPUSH', KEYS[k + 2], a.history)
    redis.call('LTRIM', KEYS[k + 2], -500, -1)
    redis.call('EXPIRE', KEYS[k + 2], a.remember)
  end
  redis.call('XACK', KEYS[1], ARGV[1], a.entry)
  out[#out + 1] = done
  k = k + 3 + a.streams
end
return out
