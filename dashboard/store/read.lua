-- Read several keys as of one instant. A transaction would do, but Redis refuses one when it is out of memory.
--
-- KEYS[...] what is to be read
-- ARGV[...] for each: "h" a hash, "s" a string, "f:NAME" a field of a hash, "t" Redis's own time, whatever the key
--
-- Returns one value a key: a hash as field, value, field, value …; a string, or nothing where there is none; the time
-- as seconds and microseconds.
local found = {}
for i, key in ipairs(KEYS) do
  local kind = ARGV[i]
  if kind == 'h' then
    found[i] = redis.call('HGETALL', key)
  elseif kind == 's' then
    found[i] = redis.call('GET', key)
  elseif kind == 't' then
    found[i] = redis.call('TIME')
  else
    found[i] = redis.call('HGET', key, string.sub(kind, 3))
  end
end
return found
