/** A TokenStore in Redis: a hash a session, without a script and without a lock, since records join. */
import type { TokenStore } from "../store.ts";

/** The commands that are used of the client `redis`. */
export interface NodeRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
  hSet(key: string, field: string, value: string): Promise<unknown>;
  hDel(key: string, field: string): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/** The commands that are used of the client `ioredis`. */
export interface IoRedis {
  hgetall(key: string): Promise<Record<string, string>>;
  hset(key: string, field: string, value: string): Promise<unknown>;
  hdel(key: string, field: string): Promise<unknown>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/** 184 days in seconds, the longest that the API's documentation gives a refresh token. */
const REFRESH_TOKEN_SECONDS = 15_897_600;

/**
 * Keeps the records of one session in a Redis hash, for a back end of any number of processes. It holds tokens: guard
 * Redis as well as you guard them.
 *
 * @param client - a connected client, of `redis` (4 or later) or of `ioredis`
 * @param name - the key of the hash: one for each session, and hard to guess where it is all that names a user
 * @param options - `lifetime` of the hash in seconds, counted from the last write, default 184 days: Redis drops what
 * nobody has written to for so long
 */
export function redisStore(
  client: NodeRedis | IoRedis,
  name: string,
  { lifetime = REFRESH_TOKEN_SECONDS }: { lifetime?: number } = {},
): TokenStore {
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
