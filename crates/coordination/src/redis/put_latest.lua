-- ARGV: id, slot in milliseconds, status as JSON, and so on. Stores "slot json" unless a later slot is known.
local statuses = KEYS[1]
for i = 1, #ARGV, 3 do
  local known = redis.call('HGET', statuses, ARGV[i])
  local known_slot = known and tonumber(string.match(known, '^%-?%d+'))
  if not known_slot or known_slot <= tonumber(ARGV[i + 1]) then
    redis.call('HSET', statuses, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  end
end
return redis.status_reply('OK')
