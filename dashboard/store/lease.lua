-- Take the right to write a source.
--
-- KEYS[1] lease   ARGV[1] who wants it   ARGV[2] milliseconds that it lasts
-- ARGV[3] the holder from whom it may be taken, "" for nobody
--
-- Returns {"ok"} or {"lease", holder}.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
  return {'lease', holder}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'ok'}
