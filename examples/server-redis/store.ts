/** The store of one web session, and the list of web sessions that may have a pending ending, for every process. */
import { randomUUID } from "node:crypto";
import type { TokenStore } from "baanx-session";
import { redisStore } from "baanx-session/redis";
import type { RedisClientType } from "redis";

/** The used commands, of any version of the client. */
export type Redis = Pick<
  RedisClientType,
  "hGetAll" | "hSet" | "hDel" | "hKeys" | "expire" | "multi" | "sRem" | "sMembers" | "info"
>;

/** The list for `flushPending()`. An entry is the name of a web session, the key of its ending, and the id of one write. */
const WAITING = "baanx:waiting";
/** One day in seconds, longer than the token of a login lives. The cookie that names the session lives as long. */
export const LIFETIME = 86_400;

const hashOf = (name: string) => `baanx:session:${name}`;

/** @param name - the secret that the user's cookie holds */
export function storeOf(redis: Redis, name: string): TokenStore {
  const hash = hashOf(name);
  const store = redisStore(redis, hash, { lifetime: LIFETIME });
  return {
    ...store,
    async write(key, text) {
      if (!key.startsWith("ended.")) return store.write(key, text);
      // Both or neither: every pending ending in Redis is on the list.
      const place = `${name} ${key} ${randomUUID()}`;
      await redis.multi().sAdd(WAITING, place).hSet(hash, key, text).expire(hash, LIFETIME).exec();
    },
  };
}

/** An entry of the list. */
export interface Place {
  entry: string;
  /** Key of the ending in the store. */
  key: string;
}

/** Returns the entries of the list, by the names of the web sessions; in an order that is the same for every process. */
export async function waiting(redis: Redis): Promise<Map<string, Place[]>> {
  const names = new Map<string, Place[]>();
  for (const entry of (await redis.sMembers(WAITING)).sort()) {
    const [name = "", key = ""] = entry.split(" ");
    names.set(name, [...(names.get(name) ?? []), { entry, key }]);
  }
  return names;
}

/** Removes entries from that list; an ending that was written in the meantime has another entry. */
export const forget = (redis: Redis, places: readonly Place[]): Promise<unknown> =>
  redis.sRem(
    WAITING,
    places.map(({ entry }) => entry),
  );

/** Returns the places whose ending Redis no longer has: evicted, expired or deleted. */
export async function disappeared(redis: Redis, name: string, places: readonly Place[]): Promise<Place[]> {
  const keys = new Set(await redis.hKeys(hashOf(name)));
  return places.filter(({ key }) => !keys.has(key));
}

/** Returns a warning unless Redis keeps every key when its memory is full. */
export async function evictionWarning(redis: Redis): Promise<string | undefined> {
  const [, policy = "unknown"] = /^maxmemory_policy:(\S+)/m.exec(await redis.info("memory")) ?? [];
  if (policy === "noeviction") return undefined;
  return `redis: maxmemory-policy is ${policy}. Set it to noeviction: with an evicted session, its pending ending is lost and the token stays alive.`;
}
