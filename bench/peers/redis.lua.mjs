// The checks and the records of a governed call as Redis scripts. Each script is atomic. Amounts are
// integers, which Lua's doubles hold exactly up to 2^53, as JavaScript's do.

/**
 * KEYS: tenant, keys, meter, windows, holds. ARGV: secret hash, now (ms), call id, bound, in-flight
 * field, hold (JSON), then pairs of rate class and units.
 */
export const ADMIT = `
local role = redis.call("HGET", KEYS[2], ARGV[1])
if not role then return {"invalid_key"} end
local tenant = redis.call("HMGET", KEYS[1], "limit", "max_in_flight", "suspended")
if tenant[3] == "1" then return {"tenant_suspended"} end
local meter = redis.call("HMGET", KEYS[3], "posted", "pending")
local posted = tonumber(meter[1] or 0)
local pending = tonumber(meter[2] or 0)
local bound = tonumber(ARGV[4])
if posted + pending + bound > tonumber(tenant[1]) then return {"quota_exceeded"} end
if redis.call("HLEN", KEYS[5]) >= tonumber(tenant[2]) then return {"concurrency_exceeded"} end
local second = math.floor(tonumber(ARGV[2]) / 1000)
local windows = redis.call("HGETALL", KEYS[4])
local used = {}
for at = 1, #windows, 2 do
  local name, from = string.match(windows[at], "^(.*)|(%d+)$")
  if tonumber(from) + 61 <= second then redis.call("HDEL", KEYS[4], windows[at])
  else used[name] = (used[name] or 0) + tonumber(windows[at + 1]) end
end
for at = 7, #ARGV, 2 do
  local most = tonumber(redis.call("HGET", KEYS[1], "rpm:" .. ARGV[at]) or 300)
  if (used[ARGV[at]] or 0) + tonumber(ARGV[at + 1]) > most then return {"rate_limited", ARGV[at]} end
end
for at = 7, #ARGV, 2 do
  redis.call("HINCRBY", KEYS[4], ARGV[at] .. "|" .. second, ARGV[at + 1])
end
redis.call("HSET", KEYS[5], ARGV[3], ARGV[6])
redis.call("HINCRBY", KEYS[3], "pending", ARGV[4])
return {"admitted"}
`;

/**
 * KEYS: meter, holds, journal line, verdict, totals. ARGV: call id, held, posted, line, verdict, then
 * pairs of total and amount.
 */
export const SETTLE = `
if redis.call("HDEL", KEYS[2], ARGV[1]) == 0 then return {"unknown_hold"} end
redis.call("HINCRBY", KEYS[1], "pending", -tonumber(ARGV[2]))
local posted = redis.call("HINCRBY", KEYS[1], "posted", ARGV[3])
redis.call("SET", KEYS[3], ARGV[4])
redis.call("SET", KEYS[4], ARGV[5])
for at = 6, #ARGV, 2 do redis.call("HINCRBY", KEYS[5], ARGV[at], ARGV[at + 1]) end
return {"settled", posted, redis.call("HGET", KEYS[1], "pending")}
`;
