-- Extends the claim of service ARGV[1] that ends at ARGV[2] to ARGV[3] milliseconds from now.
-- Returns its new end, or false if the claim is void.
local queue = KEYS[1]
local due = redis.call('ZSCORE', queue, ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then
  return false
end
local time = redis.call('TIME')
local lease_until = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3])
redis.call('ZADD', queue, lease_until, ARGV[1])
return lease_until
