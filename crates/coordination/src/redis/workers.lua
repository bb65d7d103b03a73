-- Answers {now, id, "heard ends worker", id, ...}: who is at work may depend on no other clock than this one.
local time = redis.call('TIME')
return {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), redis.call('HGETALL', KEYS[1])}
