-- Claims up to ARGV[1] due services for ARGV[2] milliseconds, unless it is later than ARGV[3].
-- Returns {now, in time or not, queue built or not, earliest due time or false, {id, due, ...}}.
local queue, limit, lease, deadline = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local now_text = string.format('%.0f', now)
if now > deadline then
  return {now_text, 0, 0, false, {}}
end
local lease_until = string.format('%.0f', now + lease)

local claimed = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
for i = 1, #claimed, 2 do
  redis.call('ZADD', queue, lease_until, claimed[i])
end

-- The marker of a built queue is its last member.
local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
local next_due = first[2] and first[2] ~= 'inf' and first[2]
local built = redis.call('ZSCORE', queue, 'built') and 1 or 0
return {now_text, 1, built, next_due or false, claimed}
