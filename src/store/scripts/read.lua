-- KEYS[1]; ARGV: largest value in bytes that is read.
-- Answers {type, expiry, fingerprint, value or dump}; {'none'}; or {type, expiry, '', ''}
-- for a value that is too large.
local key = KEYS[1]
local kind = kind_of(key)
if kind == 'none' then return {'none'} end
-- Fingerprints of collections look at each member: past this many, that would hold up the
-- server for everybody.
local count = ({hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', list = 'LLEN', stream = 'XLEN'})[kind]
count = count and redis.call(count, key) or 0
if kind == 'stream' then count = count + pending(key) end
if count > 100000 then return {kind, expiry_of(key), '', ''} end
local value
if kind == 'string' then
  if redis.call('STRLEN', key) > tonumber(ARGV[1]) then return {kind, expiry_of(key), '', ''} end
  value = redis.call('GET', key)
  return {kind, expiry_of(key), redis.sha1hex(value), value}
end
value = redis.call('DUMP', key)
if #value > tonumber(ARGV[1]) then return {kind, expiry_of(key), '', ''} end
return {kind, expiry_of(key), fingerprint(key, kind), value}
