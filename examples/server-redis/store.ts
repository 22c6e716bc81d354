/**
 * A TokenStore in Redis: a hash a web session, for a back end of several processes. The session's records join, so no
 * script and no lock is needed. It holds tokens: Redis is to be as well guarded as they are.
 */
import type { TokenStore } from "baanx-session";
import type { RedisClientType } from "redis";

/** The commands that are used, by any version of the client. */
export type Redis = Pick<
  RedisClientType,
  "hGetAll" | "hSet" | "hDel" | "expire" | "sAdd" | "sRem" | "sMembers"
>;

/** Who may have an ending pending, for `flushPending()`. */
const WAITING = "baanx:waiting";
/** 30 days in seconds, as long as the cookie that names the session. */
const LIFETIME = 2_592_000;

/**
 * The store of one web session.
 *
 * @param name - the secret that the user's cookie holds
 */
export function redisStore(redis: Redis, name: string): TokenStore {
  const hash = `baanx:session:${name}`;
  return {
    read: () => redis.hGetAll(hash),
    async write(key, text) {
      // Before the ending itself: a process that is killed in between has named one too many, not one too few.
      if (key.startsWith("ended.")) await redis.sAdd(WAITING, name);
      await redis.hSet(hash, key, text);
      await redis.expire(hash, LIFETIME);
    },
    async remove(key) {
      await redis.hDel(hash, key);
    },
    // No `subscribe`: a session here lives as long as one request.
  };
}

/** The names of the web sessions that may have endings pending, whichever process left them. */
export const waiting = (redis: Redis): Promise<string[]> => redis.sMembers(WAITING);

/** Takes a name off that list. */
export const forget = (redis: Redis, name: string): Promise<unknown> => redis.sRem(WAITING, name);

/** Puts a name on that list again. */
export const remember = (redis: Redis, name: string): Promise<unknown> => redis.sAdd(WAITING, name);
