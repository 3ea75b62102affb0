-- Shared by the scripts below: the state of a key, so that every comparison is the same one.
-- State: type ('none' if absent), absolute expiry in ms (-1 if it has none), fingerprint.
-- Hashes and sets have no order of their own (each RESTORE turns the order of their DUMP
-- around), so their fingerprint is taken over the sorted SHA-1s of their members.
local function members(parts, step)
  local sums = {}
  for i = 1, #parts, step do
    local sum = redis.sha1hex(parts[i])
    if step == 2 then sum = sum .. redis.sha1hex(parts[i + 1]) end
    sums[#sums + 1] = sum
  end
  table.sort(sums)
  return redis.sha1hex(table.concat(sums))
end

local function fingerprint(key, kind)
  if kind == 'string' then return redis.sha1hex(redis.call('GET', key)) end
  if kind == 'hash' then return members(redis.call('HGETALL', key), 2) end
  -- A sorted set that shrank has another encoding, hence another DUMP, after a RESTORE.
  if kind == 'zset' then return members(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 2) end
  if kind == 'set' then return members(redis.call('SMEMBERS', key), 1) end
  return redis.sha1hex(redis.call('DUMP', key))
end

local function kind_of(key) return redis.call('TYPE', key).ok end

local function expiry_of(key)
  local at = redis.call('PEXPIRETIME', key)
  if at < 0 then return '-1' end
  return string.format('%.0f', at)
end

-- Whether two expiries are the same but for so many ms: a cluster that moves a slot moves them.
local function near(one, other, slack)
  if one == other then return true end
  if slack == '0' or one == '-1' or other == '-1' then return false end
  return math.abs(tonumber(one) - tonumber(other)) <= tonumber(slack)
end

local function matches(key, kind, expiry, sum, slack)
  return kind_of(key) == kind and near(expiry_of(key), expiry, slack) and fingerprint(key, kind) == sum
end

local function passed(expiry)
  if expiry == '-1' then return false end
  local now = redis.call('TIME')
  return tonumber(expiry) <= tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
end
