-- Notes that worker ARGV[1], described by ARGV[2], is heard of now and at work for the next ARGV[3] milliseconds.
-- Those whose time is over are forgotten, and all of them together when nobody says anything any more.
local workers, time = KEYS[1], redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('HGETALL', workers)
for i = 1, #known, 2 do
  local ends = tonumber(string.match(known[i + 1], '^%d+ (%d+) '))
  if not ends or ends <= now then
    redis.call('HDEL', workers, known[i])
  end
end

redis.call('HSET', workers, ARGV[1], string.format('%.0f %.0f %s', now, now + ARGV[3], ARGV[2]))
if redis.call('PTTL', workers) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', workers, ARGV[3])
end
return redis.status_reply('OK')
