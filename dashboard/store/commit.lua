-- Write one batch of a source, whole or not at all: values, never increments.
--
-- KEYS[1] meta   KEYS[2] lease   KEYS[3] beat   KEYS[4...] whatever the operations name
-- ARGV[1] who writes (the lease's holder)
-- ARGV[2] the position that the writer believes in, "" for none
-- ARGV[3] the position after this batch
-- ARGV[4] milliseconds that the lease lasts
-- ARGV[5] channel, ARGV[6] message ("" publishes nothing)
-- ARGV[7...] operations, each: command, index of its key in KEYS, number of arguments, arguments
--
-- Returns {"ok"}, {"lease", holder} or {"position", what is stored}. The position is written last, so that a
-- script which failed half-way is repeated by its writer, with the same values; until then meta has the field "half",
-- readers show nothing of it, and another writer makes all counts again.
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  return {'lease', holder}
end
local stored = redis.call('HGET', KEYS[1], 'position') or ''
if stored ~= ARGV[2] then
  return {'position', stored}
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
-- Until all is written, nobody takes what is there for whole: a script that fails does not undo what it wrote.
redis.call('HSET', KEYS[1], 'half', '1')
local i = 7
while i <= #ARGV do
  local n = tonumber(ARGV[i + 2])
  redis.call(ARGV[i], KEYS[tonumber(ARGV[i + 1])], unpack(ARGV, i + 3, i + 2 + n))
  i = i + 3 + n
end
redis.call('HSET', KEYS[1], 'position', ARGV[3])
redis.call('HDEL', KEYS[1], 'half')
if ARGV[6] ~= '' then
  redis.call('PUBLISH', ARGV[5], ARGV[6])
end
return {'ok'}
