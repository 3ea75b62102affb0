-- KEYS[1]; ARGV: prior type, expiry, fingerprint.
-- Answers 'written', 'made' (it was absent already) or 'conflict'.
local key = KEYS[1]
if kind_of(key) == 'none' then return 'made' end
if not matches(key, ARGV[1], ARGV[2], ARGV[3]) then return 'conflict' end
redis.call('UNLINK', key)
return 'written'
