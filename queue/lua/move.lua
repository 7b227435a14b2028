-- move puts a batch of records on their departments' streams, each once, and
-- takes them off the intake.
-- KEYS[1] intake  KEYS[2] departments (the set of streams that exist)
-- KEYS[3] accept (numbers by the time, in ms, at which their lead loses them)
-- then for every record: complaint:<number>, history:<number>, and its
--   departments' streams, the lead's first
-- ARGV[1] the consumer group  ARGV[2] remember (seconds)
-- then for every record: how many streams, entry, id, number, event, type,
--   priority, route (JSON), again ("1": the route replaces the one that there
--   is, "2": if that is still the one of the last argument), history ("" where
--   the route tells it), the record (JSON), accept by (ms, "" for nothing to
--   book, 0 for no time), and the route that it replaces (JSON)
-- Returns a list, one a record, of 1 (moved), 0 (had been moved before), 2 (the
--   route is another meanwhile: to be decided again), or why it can't be: a
--   stream's key holds something else. The last two stay pending.
-- It runs for every record there is, so it asks little. What has been moved is
-- known by the route that its complaint has; what comes later by a field of its
-- own (a supplement that is moved before its complaint must not stand for it).
-- How long a key is kept is said by publishing, and here only for new keys.
local known = {}

-- claim marks a record as moved; 0 where it has been already.
local function claim(i, complaint)
  if ARGV[i + 4] == 'registered' then
    return redis.call('HSETNX', complaint, 'route', ARGV[i + 7]), 'route'
  end
  local mark = 'moved:' .. ARGV[i + 2]
  return redis.call('HSETNX', complaint, mark, ARGV[i + 1]), mark
end

-- add puts a record on its streams, or on none of them.
local function add(i, k, streams)
  local role, added = 'lead', {}
  for s = 1, streams do
    local stream = KEYS[k + 1 + s]
    local to = redis.pcall('XADD', stream, '*', 'id', ARGV[i + 2], 'number', ARGV[i + 3], 'event', ARGV[i + 4], 'role', role,
      'type', ARGV[i + 5], 'priority', ARGV[i + 6], 'record', ARGV[i + 10])
    if type(to) == 'table' then
      for a = 1, s - 1 do redis.call('XDEL', KEYS[k + 1 + a], added[a]) end
      return stream, to
    end
    if not known[stream] then
      known[stream] = true
      redis.call('SADD', KEYS[2], stream)
    end
    role, added[s] = 'collaborator', to
  end
end

-- book notes what else is to be known of it.
local function book(i, complaint, history)
  if ARGV[i + 8] == '1' then
    redis.call('HSET', complaint, 'route', ARGV[i + 7], 'again', ARGV[i + 10])
  elseif ARGV[i + 8] == '2' then
    redis.call('HSET', complaint, 'route', ARGV[i + 7])
  end
  if ARGV[i + 11] == '0' then
    redis.call('ZREM', KEYS[3], ARGV[i + 3])
  elseif ARGV[i + 11] ~= '' then
    redis.call('ZADD', KEYS[3], ARGV[i + 11], ARGV[i + 3])
  end
  if redis.call('TTL', complaint) == -1 then -- it was never published
    redis.call('EXPIRE', complaint, ARGV[2])
  end
  if ARGV[i + 9] == '' then return end
  local n = redis.call('RPUSH', history, ARGV[i + 9])
  if n == 1 then redis.call('EXPIRE', history, ARGV[2]) end
  if n > 500 then redis.call('LTRIM', history, '-500', '-1') end
end

local k, out, done = 4, {}, {}
for i = 3, #ARGV, 13 do
  local streams, complaint = tonumber(ARGV[i]), KEYS[k]
  local result, mark = 2, nil
  if ARGV[i + 8] ~= '2' or redis.call('HGET', complaint, 'route') == ARGV[i + 12]
    or redis.call('HEXISTS', complaint, 'moved:' .. ARGV[i + 2]) == 1 then
    result, mark = claim(i, complaint)
  end
  if result == 1 then
    local stream, bad = add(i, k, streams)
    if not bad then
      book(i, complaint, KEYS[k + 1])
    else
      redis.call('HDEL', complaint, mark)
      if bad.err:sub(1, 9) ~= 'WRONGTYPE' then return bad end
      result = stream .. ': ' .. bad.err
    end
  end
  if result == 0 or result == 1 then done[#done + 1] = ARGV[i + 1] end
  out[#out + 1] = result
  k = k + 2 + streams
end
if #done > 0 then redis.call('XACK', KEYS[1], ARGV[1], unpack(done)) end
return out
