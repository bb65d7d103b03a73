-- Claims up to ARGV[1] due services for ARGV[2] milliseconds.
-- Answers {now, 1 if the queue is built, earliest due time or false, id, due, id, due, ...}.
local queue, limit, lease = KEYS[1], ARGV[1], ARGV[2]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_until = string.format('%.0f', now + lease)

local answer = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
for i = 1, #answer, 2 do
  redis.call('ZADD', queue, lease_until, answer[i])
end

-- The marker of a built queue stands at its very end.
local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
local next_due = first[2] and first[2] ~= 'inf' and first[2]
local built = redis.call('ZSCORE', queue, 'built') and 1 or 0
return {string.format('%.0f', now), built, next_due or false, answer}
