-- The lock of a run that several shards do: who has which shard until when. The times are this
-- server's, in ms since 1970; the key lives as long as the shard that is renewed last.
-- KEYS[1] the lock; ARGV: what to do (take, renew, keep, release), run, number of shards, digest of
-- the settings, shard, token, length of a lease in ms, state folder of the shard, what the
-- lock says of the run where this shard is the first to take it, and a list of tokens whose holders
-- are known to be dead.
-- Answers {'held', start of the run}, {'gone'}, or {'taken', lock as it stands, ms left, time}.
local key = KEYS[1]
local what, run, of, settings, shard = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local token, length, folder = ARGV[6], tonumber(ARGV[7]), ARGV[8]
local kind = redis.call('TYPE', key).ok
-- Whatever else stands there is somebody's, and no lock of ours.
if kind ~= 'none' and kind ~= 'string' then return {'taken', '', redis.call('PTTL', key)} end
local now = redis.call('GET', key)
local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function is_here(holder) return folder ~= '' and holder.folder == folder end
local function taken() return {'taken', now, redis.call('PTTL', key), ms} end

local lock
if now then
  local ok, found = pcall(cjson.decode, now)
  if ok and type(found) == 'table' then lock = found end
end
local is_ours = lock and lock.run == run and lock.shards == of and lock.settings == settings
  and type(lock.shard) == 'table'

local function save()
  local latest = 0
  for _, entry in pairs(lock.shard) do latest = math.max(latest, entry['until']) end
  if latest <= ms then redis.call('DEL', key)
  else redis.call('SET', key, cjson.encode(lock), 'PX', string.format('%.0f', latest - ms)) end
end
local function hold()
  lock.shard[shard] = cjson.decode(ARGV[9]).entry
  lock.shard[shard]['until'] = ms + length
  save()
  return {'held', lock.since}
end
local function begin()
  lock = cjson.decode(ARGV[9]).lock
  lock.shard = {}
  return hold()
end

local mine = is_ours and lock.shard[shard]
if what == 'release' then
  if not (mine and mine.token == token) then return {'gone'} end
  lock.shard[shard] = nil
  save()
  return {'held', lock.since}
end
-- Renewed a moment ago: of many shards, each would write down all of them again and again.
if what ~= 'take' and mine and mine.token == token and mine['until'] - ms > length * 0.9 then
  return {'held', lock.since}
end
if what == 'renew' then
  if mine and mine.token == token then return hold() end
  if now and not is_ours then return taken() end
  if mine then return taken() end
  return {'gone'}
end
if not now then return begin() end
if what == 'keep' then
  -- Whoever has this shard now ended our connections first: over one that lives nobody did.
  if is_ours and (not mine or mine.token == token) then return hold() end
  return taken()
end
if is_ours then
  -- We hold the file lock of this shard in that folder, so whoever had it is dead.
  local is_dead = mine and (mine['until'] <= ms or is_here(mine))
  if not mine or mine.token == token or is_dead then return hold() end
  return taken()
end
-- A whole run holds its folder alone, and we have a share in the folder: that one is dead.
if lock and not lock.shards and not lock.broken and is_here(lock) then
  return begin()
end
-- Of another run in shards, each that did not run out is one of the dead.
if lock and lock.run ~= run and type(lock.shard) == 'table' then
  local is_dead = {}
  for _, dead in ipairs(cjson.decode(ARGV[10])) do is_dead[dead] = true end
  local all = true
  for _, entry in pairs(lock.shard) do
    if type(entry) ~= 'table' then all = false
    elseif (tonumber(entry['until']) or ms + 1) > ms and not is_dead[entry.token] then all = false end
  end
  if all then return begin() end
end
return taken()
