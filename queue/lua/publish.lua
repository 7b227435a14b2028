-- publish puts one record on the intake stream, once.
-- KEYS[1] intake  KEYS[2] complaint:<number>  KEYS[3] people:<number>
-- KEYS[4] history:<number>  KEYS[5] replies:<channel>  KEYS[6] receipts:<address>
-- KEYS[7] mark:<gateway>
-- KEYS[8 .. 7+ids]             record:<id> of every contact that the record is made of
-- KEYS[8+ids .. 7+ids+threads] thread:<name> that lead to this complaint from now on
-- then complaints:<address> of each of people: when they registered which
-- the last key, of a conversation: told:<conversation>, the number that was told first
-- ARGV[1] JSON: {ids, threads, conversation (bool: the first thread is one),
--   id, number, event, reply, reply_id, receipts (per hour), dedupe, remember (seconds),
--   ttls (of the threads), people (list), history, mark, now, repeats (seconds)}
-- ARGV[2] the record, JSON
-- Returns {"ok", entry, the mark before}, or without having changed anything
--   {"duplicate", number}  all contacts are in a record already
--   {"part", i, ...}       contacts i (from 1) are, the others are not
--   {"moved", number}      the conversation has this number meanwhile
--   {"told", number}       another gateway has told this number for the conversation
--   {"taken"}              the number belongs to another complaint
local a = cjson.decode(ARGV[1])
local seen, number = {}, false
for i = 1, a.ids do
  local n = redis.call('HGET', KEYS[7 + i], 'number')
  if n then seen[#seen + 1] = i; number = n end
end
if #seen == a.ids then return {'duplicate', number} end
if #seen > 0 then return {'part', unpack(seen)} end
local first = 7 + a.ids
if a.event == 'registered' then
  if a.conversation then
    local n = redis.call('GET', KEYS[first + 1])
    if n and (n ~= a.number or redis.call('HGET', KEYS[2], 'id')) then return {'moved', n} end
    local told = redis.call('GET', KEYS[#KEYS])
    if not n and told and told ~= a.number then return {'told', told} end
  end
  if redis.call('HGET', KEYS[2], 'id') then return {'taken'} end
  redis.call('HSET', KEYS[2], 'id', a.id, 'record', ARGV[2])
else
  redis.call('HSET', KEYS[2], 'last', ARGV[2])
end
redis.call('EXPIRE', KEYS[2], a.remember)
local entry = redis.call('XADD', KEYS[1], '*', 'id', a.id, 'number', a.number, 'event', a.event, 'record', ARGV[2])
for i = 1, a.ids do
  redis.call('HSET', KEYS[7 + i], 'number', a.number, 'entry', entry)
  redis.call('EXPIRE', KEYS[7 + i], a.dedupe)
end
for i = 1, a.threads do
  redis.call('SET', KEYS[first + i], a.number, 'EX', a.ttls[i])
end
if #a.people > 0 then
  redis.call('SADD', KEYS[3], unpack(a.people))
  redis.call('EXPIRE', KEYS[3], a.remember)
end
if a.event == 'registered' then
  for i = 1, #a.people do
    local key = KEYS[first + a.threads + i]
    if redis.call('ZADD', key, a.now, a.number) == 1 and redis.call('ZCARD', key) > 100 then
      redis.call('ZREMRANGEBYRANK', key, 0, 0)
    end
    redis.call('EXPIRE', key, a.repeats)
  end
end
redis.call('RPUSH', KEYS[4], a.history)
redis.call('LTRIM', KEYS[4], -500, -1)
redis.call('EXPIRE', KEYS[4], a.remember)
if a.reply ~= '' then
  local n = redis.call('INCR', KEYS[6])
  if n == 1 then redis.call('EXPIRE', KEYS[6], 3600) end
  if n <= a.receipts then
    redis.call('XADD', KEYS[5], '*', 'id', a.reply_id, 'number', a.number, 'reply', a.reply)
  end
end
-- The mark only grows: two may publish at once. It has more digits than a
-- number of Lua's can hold.
local before = redis.call('GET', KEYS[7]) or ''
if #before < #a.mark or (#before == #a.mark and before < a.mark) then
  redis.call('SET', KEYS[7], a.mark, 'EX', a.remember)
end
return {'ok', entry, before}
