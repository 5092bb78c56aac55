-- Read several keys as of one instant. A transaction would do, but Redis refuses one when it is out of memory.
--
-- KEYS[...] what is to be read   ARGV[...] for each: "h" a hash, "s" a string
--
-- Returns one value a key: a hash as field, value, field, value …; a string, or nothing where there is none.
local found = {}
for i, key in ipairs(KEYS) do
  if ARGV[i] == 'h' then
    found[i] = redis.call('HGETALL', key)
  else
    found[i] = redis.call('GET', key)
  end
end
return found
