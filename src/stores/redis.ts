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

/** 184 days in seconds, the longest that the API's documentation gives a refresh token. */
const REFRESH_TOKEN_SECONDS = 15_897_600;

/**
 * Stores the records of one session in a Redis hash, for a back end of any number of processes. It holds tokens: guard
 * Redis as well as you guard them, and let it evict nothing (`maxmemory-policy noeviction`): an evicted hash is a token
 * that nobody ends.
 *
 * @param client - a connected client, of `redis` (4 or later) or of `ioredis`
 * @param name - the key of the hash: another one for each session; hard to guess if nothing else identifies the user
 * @param options - `lifetime` of the hash in seconds, counted from the last write, default 184 days: afterwards Redis
 * deletes it
 * @throws TypeError with the code `invalid-option`
 */
export function redisStore(
  client: NodeRedis | IoRedis,
  name: string,
  { lifetime = REFRESH_TOKEN_SECONDS }: { lifetime?: number } = {},
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
    Number.isSafeInteger(lifetime) && lifetime > 0,
    "lifetime",
    "a whole number of seconds above 0",
  );
  const isNodeRedis = "hGetAll" in client;
  return {
    read: () => (isNodeRedis ? client.hGetAll(name) : client.hgetall(name)),
    async write(key, text) {
      await (isNodeRedis ? client.hSet(name, key, text) : client.hset(name, key, text));
      await client.expire(name, lifetime);
    },
    async remove(key) {
      await (isNodeRedis ? client.hDel(name, key) : client.hdel(name, key));
    },
  };
}
