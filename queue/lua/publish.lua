-- publish puts records on the intake stream, each once.
-- KEYS[1] intake  KEYS[2] mark:<gateway>
-- then for every record: complaint:<number>, history:<number>,
--   contact:<id> of every contact that it is made of,
--   thread:<name> that lead to its complaint from now on,
--   complaints:<address> of each of its people: when they registered which,
--   of a conversation told:<conversation>, the number that was told first,
--   and with a reply replies:<channel>, receipts:<address>
-- ARGV[1] dedupe  ARGV[2] remember  ARGV[3] repeats (seconds)
-- ARGV[4] receipts per hour to one address  ARGV[5] the mark
-- then for every record: how many contacts, threads and people, conversation
--   ("1": the first thread is one), id, number, event, record (JSON), history
--   ("" where the record tells it), now (seconds), reply id, reply (JSON, "" for none), the seconds that each
--   thread leads here, and the people
-- Returns the mark before, and for each record {"ok"}, or without having
--   changed anything for it
--   {"duplicate", number}  all contacts are in a record already
--   {"part", i, ...}       contacts i (from 1) are, the others are not
--   {"moved", number}      the conversation has this number meanwhile
--   {"told", number}       another gateway has told this number for the conversation
--   {"taken"}              the number belongs to another complaint
-- or {"failed", why}: what of it was written is written, and again the next time.
-- It runs for every contact there is, so it asks little, and only in texts:
-- Lua is slow to write numbers.
local dedupe, remember, repeats = ARGV[1], ARGV[2], ARGV[3]

-- clash tells why a record can't be published as it is; nil where it can.
local function clash(k, a, ids, threads, people, talk)
  local seen, number = {}, false
  for i = 1, ids do
    local n = redis.call('GET', KEYS[k + 1 + i])
    if n then seen[#seen + 1] = i; number = n end
  end
  if #seen == ids then return {'duplicate', number} end
  if #seen > 0 then return {'part', unpack(seen)} end
  if ARGV[a + 6] ~= 'registered' then return nil end
  local taken = redis.call('HEXISTS', KEYS[k], 'id') == 1
  if talk then
    local n = redis.call('GET', KEYS[k + 2 + ids])
    if n and (n ~= ARGV[a + 5] or taken) then return {'moved', n} end
    local told = redis.call('GET', KEYS[k + 2 + ids + threads + people])
    if not n and told and told ~= ARGV[a + 5] then return {'told', told} end
  end
  if taken then return {'taken'} end
end

-- known adds a record's people to those that a complaint has, at most 100.
local function known(complaint, a, people)
  local all, n = redis.call('HGET', complaint, 'people') or '\n', 0
  for _ in all:gmatch('[^\n]+') do n = n + 1 end
  for i = 1, people do
    if n < 100 and not all:find('\n' .. ARGV[a + i] .. '\n', 1, true) then
      all, n = all .. ARGV[a + i] .. '\n', n + 1
    end
  end
  return all
end

local function publish(k, a, ids, threads, people, talk)
  local why = clash(k, a, ids, threads, people, talk)
  if why then return why end
  local complaint, history, number = KEYS[k], KEYS[k + 1], ARGV[a + 5]
  local new = ARGV[a + 6] == 'registered'
  local last = a + 11 + threads -- before the people
  if new then
    local all = people > 0 and '\n' .. table.concat(ARGV, '\n', last + 1, last + people) .. '\n' or ''
    redis.call('HSET', complaint, 'id', ARGV[a + 4], 'record', ARGV[a + 7], 'people', all)
  elseif people > 0 then
    redis.call('HSET', complaint, 'last', ARGV[a + 7], 'people', known(complaint, last, people))
  else
    redis.call('HSET', complaint, 'last', ARGV[a + 7])
  end
  redis.call('EXPIRE', complaint, remember)
  redis.call('XADD', KEYS[1], '*', 'id', ARGV[a + 4], 'number', number, 'event', ARGV[a + 6], 'record', ARGV[a + 7])
  for i = 1, ids do redis.call('SET', KEYS[k + 1 + i], number, 'EX', dedupe) end
  k = k + 1 + ids
  for i = 1, threads do redis.call('SET', KEYS[k + i], number, 'EX', ARGV[a + 11 + i]) end
  k = k + threads
  for i = 1, new and people or 0 do
    if redis.call('ZADD', KEYS[k + i], ARGV[a + 9], number) == 1 and redis.call('ZCARD', KEYS[k + i]) > 100 then
      redis.call('ZREMRANGEBYRANK', KEYS[k + i], '0', '0')
    end
    redis.call('EXPIRE', KEYS[k + i], repeats)
  end
  if ARGV[a + 8] ~= '' then
    if redis.call('RPUSH', history, ARGV[a + 8]) > 500 then redis.call('LTRIM', history, '-500', '-1') end
    redis.call('EXPIRE', history, remember)
  end
  if ARGV[a + 11] ~= '' then
    k = k + people + (talk and 1 or 0)
    local n = redis.call('INCR', KEYS[k + 2])
    if n == 1 then redis.call('EXPIRE', KEYS[k + 2], '3600') end
    if n <= tonumber(ARGV[4]) then
      redis.call('XADD', KEYS[k + 1], '*', 'id', ARGV[a + 10], 'number', number, 'reply', ARGV[a + 11])
    end
  end
  return {'ok'}
end

local before = redis.call('GET', KEYS[2]) or ''
local out, k, a = {before}, 3, 6
while a <= #ARGV do
  local ids, threads, people = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local talk = ARGV[a + 3] == '1'
  local done, result = pcall(publish, k, a, ids, threads, people, talk)
  if not done then result = {'failed', type(result) == 'table' and result.err or tostring(result)} end
  out[#out + 1] = result
  k = k + 2 + ids + threads + people + (talk and 1 or 0) + (ARGV[a + 11] ~= '' and 2 or 0)
  a = a + 12 + threads + people
end
-- The mark only grows: two may publish at once. It has more digits than a
-- number of Lua's can hold.
if #before < #ARGV[5] or (#before == #ARGV[5] and before < ARGV[5]) then
  redis.call('SET', KEYS[2], ARGV[5], 'EX', remember)
end
return out
