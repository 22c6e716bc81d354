/**
 * The store of one web session: `redisStore`, and the list of those that may have an ending pending, for whichever
 * process is alive later.
 */
import type { TokenStore } from "baanx-session";
import { redisStore } from "baanx-session/redis";
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

/** @param name - the secret that the user's cookie holds */
export function storeOf(redis: Redis, name: string): TokenStore {
  const store = redisStore(redis, `baanx:session:${name}`, { lifetime: LIFETIME });
  return {
    ...store,
    async write(key, text) {
      // Before the ending itself: a process that is killed in between has named one too many, not one too few.
      if (key.startsWith("ended.")) await redis.sAdd(WAITING, name);
      await store.write(key, text);
    },
  };
}

/** The names of the web sessions that may have endings pending, whichever process left them. */
export const waiting = (redis: Redis): Promise<string[]> => redis.sMembers(WAITING);

/** Takes a name off that list. */
export const forget = (redis: Redis, name: string): Promise<unknown> => redis.sRem(WAITING, name);

/** Puts a name on that list again. */
export const remember = (redis: Redis, name: string): Promise<unknown> => redis.sAdd(WAITING, name);
