-- ARGV: id, end of the lease, next due time, and so on. Sets the next due time of each service
-- that is still due at the end of that lease: a reschedule, a removal or another claim made since
-- then wins. Returns how many it set.
local queue, done = KEYS[1], 0
for i = 1, #ARGV, 3 do
  local due = redis.call('ZSCORE', queue, ARGV[i])
  if due and tonumber(due) == tonumber(ARGV[i + 1]) then
    redis.call('ZADD', queue, ARGV[i + 2], ARGV[i])
    done = done + 1
  end
end
return done
