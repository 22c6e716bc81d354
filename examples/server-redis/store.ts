/** The store of one web session, and the list of web sessions that may have a pending ending, for every process. */
import { randomUUID } from "node:crypto";
import type { TokenStore } from "baanx-session";
import { redisStore } from "baanx-session/redis";
import type { RedisClientType } from "redis";

/** The used commands, of any version of the client. */
export type Redis = Pick<
  RedisClientType,
  "hGetAll" | "hSet" | "hDel" | "expire" | "multi" | "sRem" | "sMembers"
>;

/** The list for `flushPending()`. An entry is the name of a web session and the random id of one write. */
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
      // Both or neither: every pending ending in Redis is on the list.
      const place = `${name} ${randomUUID()}`;
      await redis.multi().sAdd(WAITING, place).hSet(hash, key, text).expire(hash, LIFETIME).exec();
    },
  };
}

/** Returns the entries of that list, by the names of the web sessions. */
export async function waiting(redis: Redis): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  for (const place of await redis.sMembers(WAITING)) {
    const [name = ""] = place.split(" ");
    names.set(name, [...(names.get(name) ?? []), place]);
  }
  return names;
}

/** Removes entries from that list; an ending that was written in the meantime has another entry. */
export const forget = (redis: Redis, places: string[]): Promise<unknown> => redis.sRem(WAITING, places);
