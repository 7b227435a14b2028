-- hand moves an entry from one stream to another: given up to the dead
-- stream, taken back from it, or a reply to another channel.
-- KEYS[1] from  KEYS[2] to
-- ARGV[1] group ("" where the entry is not read through a group: it is deleted instead)
-- ARGV[2] entry  ARGV[3..] the fields and values of the new entry
-- Returns the new entry's id, or "" where the entry was gone already.
if ARGV[1] ~= '' then
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return '' end
elseif redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then
  return ''
end
return redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
