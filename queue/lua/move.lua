-- move puts a batch of records on their departments' streams, each once, and
-- takes them off the intake.
-- KEYS[1] intake  KEYS[2] departments (the set of streams that exist)
-- KEYS[3] accept (numbers by the time, in ms, at which their lead loses them)
-- then for every record: complaint:<number>, history:<number>, and its
--   departments' streams, the lead's first
-- ARGV[1] the consumer group  ARGV[2] remember (seconds)
-- then for every record: how many streams, entry, id, number, event, type,
--   priority, route (JSON, "" for a supplement), again ("1": the route replaces
--   the one that there is, "2": if that is still the one of the last argument),
--   history, the record (JSON), accept by (ms, "" for nothing to book, 0 for no
--   time), and the route that it replaces (JSON)
-- Returns a list, one a record, of 1 (moved), 0 (had been moved before), 2 (the
--   route is another meanwhile: to be decided again), or why it can't be: a
--   stream's key holds something else. The last two stay pending.
-- It runs for every record there is, so it asks little: how long a key is kept
-- is said by publishing, and here only for keys that are not there yet.
local known = {}

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

-- book notes on the complaint that a record has been moved, and where to.
local function book(i, k, mark, has)
  local complaint, history, route = KEYS[k], KEYS[k + 1], ARGV[i + 7]
  if route ~= '' and ARGV[i + 8] == '1' then
    redis.call('HSET', complaint, mark, ARGV[i + 1], 'route', route, 'again', ARGV[i + 10])
  elseif route ~= '' and ARGV[i + 8] == '2' then
    redis.call('HSET', complaint, mark, ARGV[i + 1], 'route', route)
  elseif route ~= '' and not has[2] then
    redis.call('HSET', complaint, mark, ARGV[i + 1], 'route', route)
  else
    redis.call('HSET', complaint, mark, ARGV[i + 1])
  end
  if ARGV[i + 11] == '0' then
    redis.call('ZREM', KEYS[3], ARGV[i + 3])
  elseif ARGV[i + 11] ~= '' then
    redis.call('ZADD', KEYS[3], ARGV[i + 11], ARGV[i + 3])
  end
  if not has[3] then redis.call('EXPIRE', complaint, ARGV[2]) end
  local n = redis.call('RPUSH', history, ARGV[i + 9])
  if n == 1 then redis.call('EXPIRE', history, ARGV[2]) end
  if n > 500 then redis.call('LTRIM', history, -500, -1) end
end

local k, out, done = 4, {}, {}
for i = 3, #ARGV, 13 do
  local streams, mark = tonumber(ARGV[i]), 'moved:' .. ARGV[i + 2]
  local has = redis.call('HMGET', KEYS[k], mark, 'route', 'id')
  local result = 0
  if not has[1] and ARGV[i + 8] == '2' and has[2] ~= ARGV[i + 12] then
    result = 2
  elseif not has[1] then
    local stream, bad = add(i, k, streams)
    if not bad then
      book(i, k, mark, has)
      result = 1
    elseif bad.err:sub(1, 9) == 'WRONGTYPE' then
      result = stream .. ': ' .. bad.err
    else
      return bad
    end
  end
  if result == 0 or result == 1 then done[#done + 1] = ARGV[i + 1] end
  out[#out + 1] = result
  k = k + 2 + streams
end
if #done > 0 then redis.call('XACK', KEYS[1], ARGV[1], unpack(done)) end
return out
