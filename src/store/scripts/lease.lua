-- KEYS[1] the lock; ARGV: our lease, its length in ms, what to do: take, renew or release,
-- and the host and state folder that an abandoned lease of ours would name.
-- Answers {'held'}, {'gone'}, or {'taken', lease of the other, ms left}.
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
-- Whatever else stands there is somebody's, and no lease of ours.
if kind ~= 'none' and kind ~= 'string' then return {'taken', '', redis.call('PTTL', key)} end
local now = redis.call('GET', key)
local function mine() return now == ARGV[1] end
if ARGV[3] == 'release' then
  if now and mine() then redis.call('DEL', key) return {'held'} end
  return {'gone'}
end
if ARGV[3] == 'renew' then
  if now and mine() then redis.call('PEXPIRE', key, ARGV[2]) return {'held'} end
  if now then return {'taken', now, redis.call('PTTL', key)} end
  return {'gone'}
end
if now and not mine() then
  local ok, lease = pcall(cjson.decode, now)
  local ours = ok and type(lease) == 'table' and lease.host == ARGV[4] and lease.state_dir == ARGV[5]
  -- We hold the file lock of that folder on that host, so the holder of this lease is dead.
  if not ours then return {'taken', now, redis.call('PTTL', key)} end
end
redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
return {'held'}
