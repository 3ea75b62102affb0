-- KEYS[1]; ARGV: prior expiry, expiry to be set (-1: none); 'back' on the way back; how far
-- an expiry may have moved by itself, in ms.
-- Answers 'written', 'made', 'expired' (the expiry to be set has passed), 'ran out' (the key expired
-- before this came) or 'conflict'.
local key = KEYS[1]
if kind_of(key) == 'none' then
  -- What is to have expired by now is away, perhaps by a sending whose reply was lost.
  if ARGV[3] == 'back' and passed(ARGV[2]) then return 'made' end
  if passed(ARGV[1], ARGV[4]) then return 'ran out' end
  return 'conflict'
end
local at = expiry_of(key)
if at == ARGV[2] then return 'made' end
if at ~= ARGV[1] then
  if near(at, ARGV[2], ARGV[4]) then return 'made' end
  if not near(at, ARGV[1], ARGV[4]) then return 'conflict' end
end
if ARGV[2] == '-1' then redis.call('PERSIST', key)
elseif passed(ARGV[2]) then
  if ARGV[3] ~= 'back' then return 'expired' end
  redis.call('UNLINK', key)
else redis.call('PEXPIREAT', key, ARGV[2]) end
return 'written'
