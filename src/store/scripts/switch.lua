-- KEYS[1] the switch; ARGV: 'pause' or 'resume', and who pauses, when and why.
-- Answers {'done', what stood there before} or, where there was nothing to do, {'already', what
-- stands there}.
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
local now = ''
if kind == 'string' then now = redis.call('GET', key) end
if ARGV[1] == 'pause' then
  if kind ~= 'none' then return {'already', now} end
  redis.call('SET', key, ARGV[2])
  return {'done', ''}
end
if kind == 'none' then return {'already', ''} end
redis.call('UNLINK', key)
return {'done', now}
