-- Shared by the scripts below: the state of a key, so that every comparison is the same one.
-- State: type ('none' if absent), absolute expiry in ms (-1 if it has none), fingerprint.
-- A fingerprint is taken of what a client sees, so that it outlives an upgrade of the server: a
-- DUMP names the version of its format. Only values of modules have nothing else than their DUMP.

-- Of hashes, sets and sorted sets, which have no order of their own (each RESTORE turns the order
-- of their DUMP around): the sorted SHA-1s of their members.
local function unordered(sums)
  table.sort(sums)
  return redis.sha1hex(table.concat(sums))
end

local function set(key)
  local sums = redis.call('SMEMBERS', key)
  for i = 1, #sums do sums[i] = redis.sha1hex(sums[i]) end
  return unordered(sums)
end

-- A score is a double, which servers write down in different ways.
local function sorted_set(key)
  local parts, sums = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
  for i = 1, #parts, 2 do
    local score = string.format('%.17g', tonumber(parts[i + 1]))
    sums[#sums + 1] = redis.sha1hex(parts[i]) .. redis.sha1hex(score)
  end
  return unordered(sums)
end

-- When the fields of a hash run out, in ms since 1970, -1 for never, in the order of HGETALL: nothing
-- where none of them does, false where this user may not ask.
local function field_expiries(key, parts)
  if #parts == 0 then return nil end
  local asked = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, parts[1])
  if asked.err then
    -- Servers before Redis 7.4 and Valkey 9 do not know the command.
    if string.find(asked.err, 'nknown', 1, true) then return nil end
    -- Where fields of a hash run out, the type of its dump, the first byte, is none of these.
    if string.find('\4\9\13\16', string.sub(redis.call('DUMP', key), 1, 1), 1, true) then return nil end
    return false
  end
  local names, expiries = {}, {}
  for i = 1, #parts, 2 do names[#names + 1] = parts[i] end
  for from = 1, #names, 1000 do
    local to = math.min(from + 999, #names)
    local some = redis.call('HPEXPIRETIME', key, 'FIELDS', to - from + 1, unpack(names, from, to))
    for i = 1, #some do expiries[#expiries + 1] = some[i] end
  end
  return expiries
end

-- Fields that run out follow the fingerprint of the others, each as ';', when (20 digits), ':' and its
-- SHA-1: soonest first, so that what ran out since then is what is missing at the front.
local RUNNING_OUT = 62
local function hash(key)
  local parts, sums, running_out = redis.call('HGETALL', key), {}, {}
  local expiries = field_expiries(key, parts)
  -- Without its expiries it could not be put back: it has no fingerprint, as what is too large.
  if expiries == false then return '' end
  for i = 1, #parts, 2 do
    local sum = redis.sha1hex(parts[i]) .. redis.sha1hex(parts[i + 1])
    local at = expiries and expiries[(i + 1) / 2] or -1
    if at < 0 then sums[#sums + 1] = sum
    else running_out[#running_out + 1] = string.format(';%020.0f:%s', at, redis.sha1hex(sum)) end
  end
  table.sort(running_out)
  return unordered(sums) .. table.concat(running_out)
end

-- Of what has an order, each text with its length, so that no two values read the same.
local function append(texts, value)
  if type(value) == 'table' then
    texts[#texts + 1] = '*' .. #value .. ';'
    for i = 1, #value do append(texts, value[i]) end
  elseif type(value) == 'number' then texts[#texts + 1] = string.format('%.0f;', value)
  elseif type(value) == 'string' then
    texts[#texts + 1] = '$' .. #value .. ';'
    texts[#texts + 1] = #value > 40 and redis.sha1hex(value) or value
  else texts[#texts + 1] = '-;' end
end

local function ordered(value)
  local texts = {}
  append(texts, value)
  return redis.sha1hex(table.concat(texts))
end

-- The values of some names in an answer of XINFO, and all of it by name.
local function named(list, names)
  local found, values = {}, {}
  for i = 1, #list, 2 do found[list[i]] = list[i + 1] end
  for i, name in ipairs(names) do values[i] = found[name] or false end
  return values, found
end

local function stream_info(key, count)
  return redis.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', count)
end

-- How many entries are pending in all groups of a stream.
local function pending(key)
  local _, info = named(stream_info(key, 1), {})
  local count = 0
  for _, group in ipairs(info.groups) do
    local _, of = named(group, {})
    count = count + of['pel-count']
  end
  return count
end

-- Entries, and of each group where it is, what is pending, and its consumers. What else XINFO tells is
-- how this server keeps it, or not known to all versions.
local function stream(key)
  local names = {'last-generated-id', 'max-deleted-entry-id', 'entries-added', 'entries'}
  local whole, info = named(stream_info(key, 0), names)
  for _, group in ipairs(info.groups) do
    local values, of = named(group, {'name', 'last-delivered-id', 'entries-read', 'pending'})
    for _, consumer in ipairs(of.consumers) do
      values[#values + 1] = named(consumer, {'name', 'seen-time'})
    end
    whole[#whole + 1] = values
  end
  return ordered(whole)
end

local function fingerprint(key, kind)
  if kind == 'string' then return redis.sha1hex(redis.call('GET', key)) end
  if kind == 'hash' then return hash(key) end
  if kind == 'zset' then return sorted_set(key) end
  if kind == 'set' then return set(key) end
  if kind == 'list' then return ordered(redis.call('LRANGE', key, 0, -1)) end
  if kind == 'stream' then return stream(key) end
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

-- Whether an expiry has passed, or may have where it moved by so many ms.
local function passed(expiry, slack)
  if expiry == '-1' then return false end
  local now = redis.call('TIME')
  local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  return tonumber(expiry) - tonumber(slack or 0) <= ms
end

-- Whether a key has expired, or may have: by its expiry, or as a hash all of whose fields ran out.
local function gone(expiry, sum, slack)
  if passed(expiry, slack) then return true end
  if #sum <= 40 or string.sub(sum, 1, 40) ~= redis.sha1hex('') then return false end
  return passed(tonumber(string.sub(sum, -61, -42)))
end

-- Whether a value of fingerprint `now` is that of `sum`, but for fields that ran out since.
local function same(now, sum)
  if now == sum then return true end
  local missing = #sum - #now
  if missing <= 0 or missing % RUNNING_OUT ~= 0 then return false end
  local rest = 40 + missing
  if string.sub(sum, 1, 40) .. string.sub(sum, rest + 1) ~= now then return false end
  return passed(tonumber(string.sub(sum, rest - RUNNING_OUT + 2, rest - 41)))
end

local function matches(key, kind, expiry, sum, slack)
  return kind_of(key) == kind and near(expiry_of(key), expiry, slack) and same(fingerprint(key, kind), sum)
end
