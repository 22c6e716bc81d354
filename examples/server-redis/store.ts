/**
 * The store of one web session, and the list of those that may have an ending pending, for whichever process is alive
 * later.
 */
import { randomUUID } from "node:crypto";
import type { TokenStore } from "baanx-session";
import { redisStore } from "baanx-session/redis";
import type { RedisClientType } from "redis";

/** The commands that are used, by any version of the client. */
export type Redis = Pick<
  RedisClientType,
  "hGetAll" | "hSet" | "hDel" | "expire" | "multi" | "sRem" | "sMembers"
>;

/** Who may have an ending pending, for `flushPending()`: a name, and a number that no other write has. */
const WAITING = "baanx:waiting";
/** 30 days in seconds, as long as the cookie that names the session. */
const LIFETIME = 2_592_000;

/** @param name - the secret that the user's cookie holds */
export function storeOf(redis: Redis, name: string): TokenStore {
  const hash = `baanx:session:${name}`;
  const store = redisStore(redis, hash, { lifetime: LIFETIME });
  return {
    ...store,
    async write(key, text) {
      if (!key.startsWith("ended.")) return store.write(key, text);
      // All or nothing: what is on the list can be read, and what can be read is on the list.
      const place = `${name} ${randomUUID()}`;
      await redis.multi().sAdd(WAITING, place).hSet(hash, key, text).expire(hash, LIFETIME).exec();
    },
  };
}

/** The web sessions that may have endings pending, whichever process left them: their places on the list, by their names. */
export async function waiting(redis: Redis): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const place of await redis.sMembers(WAITING)) {
    const [name = ""] = place.split(" ");
    names.set(name, [...(names.get(name) ?? []), place]);
  }
  return names;
}

/** Takes places off that list; an ending that was written since has another one. */
export const forget = (redis: Redis, places: string[]): Promise<unknown> => redis.sRem(WAITING, places);
