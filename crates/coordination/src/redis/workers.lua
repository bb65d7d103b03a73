-- Returns {now, {id, "registered expires worker", id, ...}}: expiry is judged by Redis's clock.
local time = redis.call('TIME')
return {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), redis.call('HGETALL', KEYS[1])}
