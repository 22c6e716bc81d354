/**
 * A TokenStore in Redis, one hash a user's web session, for a back end of several processes. Each write is one
 * script, so that two processes never see half of one. It holds tokens: Redis is to be as well guarded as they are.
 */
import type { SessionEntry, StoredEntries, TokenStore } from "baanx-session";
import type { RedisClientType } from "redis";

/** The commands that are used, by any version of the client. */
export type Redis = Pick<RedisClientType, "hGetAll" | "eval" | "sMembers">;

const CURRENT = "current";
const PENDING = "pending:";
/** Who has something pending, for `flushPending()`. */
const WAITING = "baanx:waiting";
/** 30 days in seconds, as long as the cookie that names the session. */
const LIFETIME = "2592000";

/** ARGV: the entry or "", whether to compare, the id to compare with, the lifetime. */
const setCurrent = `
local now = redis.call("HGET", KEYS[1], "${CURRENT}")
if ARGV[2] == "compare" and (not now or cjson.decode(now).id ~= ARGV[3]) then return 0 end
if ARGV[1] == "" then return redis.call("HDEL", KEYS[1], "${CURRENT}") end
redis.call("HSET", KEYS[1], "${CURRENT}", ARGV[1])
return redis.call("EXPIRE", KEYS[1], ARGV[4])`;

/** ARGV: the field, the entry, the name of the session, the lifetime. */
const putPending = `
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
redis.call("EXPIRE", KEYS[1], ARGV[4])
return redis.call("SADD", KEYS[2], ARGV[3])`;

/** ARGV: the field, the name of the session. */
const dropPending = `
redis.call("HDEL", KEYS[1], ARGV[1])
for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
  if field ~= "${CURRENT}" then return 0 end
end
return redis.call("SREM", KEYS[2], ARGV[2])`;

/** A record that cannot be read is no session; the package checks the others. */
function parse(text: string): SessionEntry | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The store of one web session.
 *
 * @param name - the secret that the user's cookie holds
 */
export function redisStore(redis: Redis, name: string): TokenStore {
  const key = `baanx:session:${name}`;
  const run = (script: string, ...values: string[]): Promise<void> =>
    redis.eval(script, { keys: [key, WAITING], arguments: values }).then(() => undefined);
  return {
    async read(): Promise<StoredEntries> {
      const fields = Object.entries(await redis.hGetAll(key));
      const current = fields.flatMap(([field, text]) => (field === CURRENT ? (parse(text) ?? []) : []))[0];
      const pending = fields.flatMap(([field, text]) =>
        field.startsWith(PENDING) ? (parse(text) ?? []) : [],
      );
      return { ...(current && { current }), pending };
    },
    setCurrent: (entry, replaces) =>
      run(
        setCurrent,
        entry ? JSON.stringify(entry) : "",
        replaces === undefined ? "any" : "compare",
        replaces ?? "",
        LIFETIME,
      ),
    putPending: (entry) => run(putPending, PENDING + entry.id, JSON.stringify(entry), name, LIFETIME),
    dropPending: (id) => run(dropPending, PENDING + id, name),
    // No `subscribe`: a session here lives as long as one request.
  };
}

/** The names of the web sessions that have endings pending, whichever process left them. */
export const waiting = (redis: Redis): Promise<string[]> => redis.sMembers(WAITING);
