-- A sign of life of a source's collector: it has read its source now, whether or not there was anything new.
--
-- KEYS[1] lease   KEYS[2] beat   KEYS[3] meta
-- ARGV[1] who writes   ARGV[2] milliseconds that the lease lasts   ARGV[3] "1": the source was read
-- ARGV[4] epoch second up to which the source is covered   ARGV[5] what is wrong, in a sentence; "" for nothing
-- ARGV[6] the position that the writer believes in
--
-- Returns {"ok"}, {"lease", holder} or {"position", what is stored}: Redis was emptied or went back.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {'lease', holder}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local stored = redis.call('HGET', KEYS[3], 'position') or ''
if stored ~= ARGV[6] then
  return {'position', stored}
end
redis.call('HSET', KEYS[2], 'problem', ARGV[5])
if ARGV[3] == '1' then
  local now = redis.call('TIME')
  redis.call('HSET', KEYS[2], 'covered_to_s', ARGV[4],
    'read_ms', string.format('%d%03d', now[1], math.floor(now[2] / 1000)))
end
return {'ok'}
