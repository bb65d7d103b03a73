-- ARGV: id, slot in milliseconds, status as JSON, and so on. Stores "slot json" unless the stored
-- slot is later.
local statuses = KEYS[1]
for i = 1, #ARGV, 3 do
  local cached = redis.call('HGET', statuses, ARGV[i])
  local cached_slot = cached and tonumber(string.match(cached, '^%-?%d+'))
  if not cached_slot or cached_slot <= tonumber(ARGV[i + 1]) then
    redis.call('HSET', statuses, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  end
end
return redis.status_reply('OK')
