-- KEYS[1]; ARGV: prior type, expiry, fingerprint; made type, expiry, fingerprint; value or dump;
-- 'back' on the way back; how far an expiry may have moved by itself, in ms.
-- Answers 'written', 'made' (it was in that state before), 'expired' (the expiry to be set
-- has passed: writing it would delete the key) or 'conflict'.
local key = KEYS[1]
local kind = kind_of(key)
if kind == 'none' then
  -- What is to have expired by now is away, perhaps by a sending whose reply was lost.
  if ARGV[8] == 'back' and gone(ARGV[5], ARGV[6]) then return 'made' end
  -- Gone after the intent: fine if it merely expired, else somebody removed it.
  if ARGV[1] ~= 'none' and not gone(ARGV[2], ARGV[3], ARGV[9]) then return 'conflict' end
elseif ARGV[1] == 'none' or not matches(key, ARGV[1], ARGV[2], ARGV[3], ARGV[9]) then
  if matches(key, ARGV[4], ARGV[5], ARGV[6], ARGV[9]) then return 'made' end
  return 'conflict'
end
if passed(ARGV[5]) then
  -- The way back: what would have expired by now is gone, not left as the run made it.
  if ARGV[8] ~= 'back' then return 'expired' end
  redis.call('UNLINK', key)
  return 'written'
end
if ARGV[4] == 'string' then
  -- Valkey 9.0.0 still follows the expiries of fields of a hash that SET replaces, and crashes.
  if kind == 'hash' then redis.call('UNLINK', key) end
  if ARGV[5] == '-1' then redis.call('SET', key, ARGV[7])
  else redis.call('SET', key, ARGV[7], 'PXAT', ARGV[5]) end
else
  local at = ARGV[5]
  if at == '-1' then at = '0' end
  local reply = redis.pcall('RESTORE', key, at, ARGV[7], 'REPLACE', 'ABSTTL')
  if type(reply) == 'table' and reply.err then
    -- A dump that this server cannot read keeps its key, not the whole rollback.
    if string.find(reply.err, 'DUMP payload', 1, true) or string.find(reply.err, 'Bad data format', 1, true) then
      return 'conflict'
    end
    return reply
  end
end
return 'written'
