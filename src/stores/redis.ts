/** A TokenStore in Redis: one hash per session. It needs no script and no lock, since records join. */
import type { TokenStore } from "../store.ts";
import { hasMethods, requireName, requireThat } from "./adapter-options.ts";

/** The used commands of the client `redis`. */
export interface NodeRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
  hSet(key: string, field: string, value: string): Promise<unknown>;
  hDel(key: string, field: string): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/** The used commands of the client `ioredis`. */
export interface IoRedis {
  hgetall(key: string): Promise<Record<string, string>>;
  hset(key: string, field: string, value: string): Promise<unknown>;
  hdel(key: string, field: string): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/** One day in seconds: an access token lives six hours. */
const ACCESS_TOKEN_SECONDS = 86_400;
/** 184 days in seconds, the longest that the API's documentation gives a refresh token. */
const REFRESH_TOKEN_SECONDS = 15_897_600;

/** In the string of a record, a quote inside a value is escaped. */
const hasRefreshToken = (text: string | undefined) => !!text?.includes('"refreshToken":"');

/**
 * Stores the records of one session in a Redis hash, for a back end of any number of processes. It holds tokens, so guard
 * Redis as well as you guard them. Set `maxmemory-policy noeviction`: by any other policy, a full Redis may evict the hash
 * of a pending ending, and the token stays alive.
 *
 * @param client - a connected client, of `redis` (4 or later) or of `ioredis`
 * @param name - the key of the hash: another one for each session; hard to guess if nothing else identifies the user
 * @param options - `lifetime` of the hash in seconds, counted from the last write, after which Redis deletes it. Default: one
 * day, or 184 days if one of the records has a refresh token
 * @throws TypeError with the code `invalid-option`
 */
export function redisStore(
  client: NodeRedis | IoRedis,
  name: string,
  { lifetime }: { lifetime?: number } = {},
): TokenStore {
  requireThat(
    hasMethods(client, "hGetAll", "hSet", "hDel", "expire") ||
      hasMethods(client, "hgetall", "hset", "hdel", "expire"),
    "client",
    "a client of redis (4 or later) or of ioredis: redisStore(createClient({ url }), name)",
  );
  requireName("name", name);
  // Redis deletes a hash at once if its lifetime is not above 0.
  requireThat(
    lifetime === undefined || (Number.isSafeInteger(lifetime) && lifetime > 0),
    "lifetime",
    "a whole number of seconds above 0",
  );
  const isNodeRedis = "hGetAll" in client;
  /** Keys of records with a refresh token: a write of another record must not shorten their lifetime. */
  let longLived = new Set<string>();
  return {
    async read() {
      const texts = await (isNodeRedis ? client.hGetAll(name) : client.hgetall(name));
      longLived = new Set(Object.keys(texts).filter((key) => hasRefreshToken(texts[key])));
      return texts;
    },
    async write(key, text) {
      await (isNodeRedis ? client.hSet(name, key, text) : client.hset(name, key, text));
      if (hasRefreshToken(text)) longLived.add(key);
      else longLived.delete(key);
      const seconds = longLived.size > 0 ? REFRESH_TOKEN_SECONDS : ACCESS_TOKEN_SECONDS;
      await client.expire(name, lifetime ?? seconds);
    },
    async remove(key) {
      await (isNodeRedis ? client.hDel(name, key) : client.hdel(name, key));
    },
  };
}
