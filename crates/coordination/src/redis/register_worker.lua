-- Registers worker ARGV[1], described by ARGV[2], for ARGV[3] milliseconds from now. Removes the
-- workers whose registration has expired; the hash expires when nobody registers any more.
local workers, time = KEYS[1], redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local registered = redis.call('HGETALL', workers)
for i = 1, #registered, 2 do
  local expires = tonumber(string.match(registered[i + 1], '^%d+ (%d+) '))
  if not expires or expires <= now then
    redis.call('HDEL', workers, registered[i])
  end
end

redis.call('HSET', workers, ARGV[1], string.format('%.0f %.0f %s', now, now + ARGV[3], ARGV[2]))
if redis.call('PTTL', workers) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', workers, ARGV[3])
end
return redis.status_reply('OK')
