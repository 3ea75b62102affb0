-- KEYS[1]; ARGV: largest value in bytes that is read; what is asked for: 'whole', 'state' (with the
-- SHA-1 of a dump instead of it, and nothing instead of a value) or 'size'.
-- Answers {type, expiry, fingerprint, value or dump}; {'none'}; or {type, expiry, '', ''}
-- for a value that is too large. To 'size', how many bytes of value or dump 'whole' brings along.
local key = KEYS[1]
local kind = kind_of(key)
local asked = ARGV[2]
local function too_large()
  if asked == 'size' then return 0 end
  return {kind, expiry_of(key), '', ''}
end
if kind == 'none' then
  if asked == 'size' then return 0 end
  return {'none'}
end
-- Fingerprints of collections look at each member: past this many, that would hold up the
-- server for everybody.
local count = ({hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', list = 'LLEN', stream = 'XLEN'})[kind]
count = count and redis.call(count, key) or 0
if kind == 'stream' then count = count + pending(key) end
if count > 100000 then return too_large() end
local value
if kind == 'string' then
  local length = redis.call('STRLEN', key)
  if length > tonumber(ARGV[1]) then return too_large() end
  if asked == 'size' then return length end
  value = redis.call('GET', key)
else
  value = redis.call('DUMP', key)
  if #value > tonumber(ARGV[1]) then return too_large() end
  if asked == 'size' then return #value end
end
local sum = kind == 'string' and redis.sha1hex(value) or fingerprint(key, kind)
if asked == 'state' then value = kind == 'string' and '' or redis.sha1hex(value) end
return {kind, expiry_of(key), sum, value}
