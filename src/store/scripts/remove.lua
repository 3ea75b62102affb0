-- KEYS[1]; ARGV: prior type, expiry, fingerprint; 'forth', 'again' (sent a second time, because
-- the reply was lost) or 'back'; how far an expiry may have moved by itself, in ms.
-- Answers 'written', 'made' (it was absent already) or 'conflict'.
local key = KEYS[1]
if kind_of(key) == 'none' then
  -- Gone after the intent: fine if it merely expired, is to be away again, or was removed by
  -- the first sending; else somebody removed it, and the run did not.
  if ARGV[4] ~= 'forth' or gone(ARGV[2], ARGV[3], ARGV[5]) then return 'made' end
  return 'conflict'
end
if not matches(key, ARGV[1], ARGV[2], ARGV[3], ARGV[5]) then return 'conflict' end
redis.call('UNLINK', key)
return 'written'
