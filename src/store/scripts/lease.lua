-- KEYS[1] the lock; ARGV: our lease, its length in ms, what to do: take, renew, keep (renew, or
-- take again where there is none), release, break or clear (what breaking leaves),
-- and the state folder that an abandoned lease of ours would name. To break a lease,
-- ARGV[1] is the run that it must name.
-- Answers {'held'}, {'gone'}, {'broken', lease, ms left, time}, or {'taken', lease of the other,
-- ms left, time}; times in ms since 1970.
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
-- Whatever else stands there is somebody's, and no lease of ours.
if kind ~= 'none' and kind ~= 'string' then return {'taken', '', redis.call('PTTL', key)} end
local now = redis.call('GET', key)
local function state(word)
  local time = redis.call('TIME')
  local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return {word, now, redis.call('PTTL', key), ms}
end
if ARGV[3] == 'break' or ARGV[3] == 'clear' then
  if not now then return {'gone'} end
  local ok, lease = pcall(cjson.decode, now)
  local is_table = ok and type(lease) == 'table'
  if is_table and lease.broken == ARGV[1] then
    if ARGV[3] == 'clear' then redis.call('DEL', key) end
    return {'gone'}
  end
  if ARGV[3] == 'clear' or not (is_table and lease.run == ARGV[1]) then return state('taken') end
  local answer = state('broken')
  -- For as long as its connections live, that run would take a lock again that is just gone.
  redis.call('SET', key, cjson.encode({broken = ARGV[1]}), 'PX', ARGV[2])
  return answer
end
local function mine() return now == ARGV[1] end
if ARGV[3] == 'release' then
  if now and mine() then redis.call('DEL', key) return {'held'} end
  return {'gone'}
end
if ARGV[3] == 'keep' and not now then
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  return {'held'}
end
if ARGV[3] == 'renew' or ARGV[3] == 'keep' then
  if now and mine() then redis.call('PEXPIRE', key, ARGV[2]) return {'held'} end
  if now then return state('taken') end
  return {'gone'}
end
if now and not mine() then
  local ok, lease = pcall(cjson.decode, now)
  local function of_ours(holder) return ARGV[4] ~= '' and holder.folder == ARGV[4] end
  local ours = ok and type(lease) == 'table' and of_ours(lease)
  -- Of a run in shards, each that did not run out.
  if ok and type(lease) == 'table' and type(lease.shard) == 'table' then
    ours = true
    local time = redis.call('TIME')
    local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    for _, shard in pairs(lease.shard) do
      if type(shard) ~= 'table' then ours = false
      elseif (tonumber(shard['until']) or ms + 1) > ms and not of_ours(shard) then ours = false end
    end
  end
  -- We hold the file lock of that folder, so the holder of this lease is dead.
  if not ours then return state('taken') end
end
redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
return {'held'}
