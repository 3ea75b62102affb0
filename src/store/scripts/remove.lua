-- KEYS[1]; ARGV: prior type, expiry, fingerprint; 'back' on the way back.
-- Answers 'written', 'made' (it was absent already) or 'conflict'.
local key = KEYS[1]
if kind_of(key) == 'none' then
  -- Gone after the intent: fine if it merely expired or is to be away again, else somebody
  -- removed it, and the run did not.
  if ARGV[4] == 'back' or passed(ARGV[2]) then return 'made' end
  return 'conflict'
end
if not matches(key, ARGV[1], ARGV[2], ARGV[3]) then return 'conflict' end
redis.call('UNLINK', key)
return 'written'
