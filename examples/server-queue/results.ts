/**
 * The results of an incident, in Redis until they are read: the token of each line, and the server's answer for each token.
 * Tokens are named by their digests. Everything is deleted after 30 days.
 */
import type { SessionErrorCode } from "baanx-session";
import type { Redis } from "ioredis";
import type { Place } from "./seal.ts";

/** The result of a token. */
export interface Result {
  server: "confirmed" | "already-invalid" | "unconfirmed" | "expired";
  error?: { code: SessionErrorCode; status?: number };
  /** The time of the answer, in ISO 8601. */
  at: string;
}

/** A valid line of the list. */
export interface ListedLine {
  line: number;
  id?: string | number;
  region: Place["region"];
  digest: string;
}

/** 30 days in seconds: as long as a dead letter may be tried again. */
const KEPT = 2_592_000;

const resultsKey = (run: string) => `baanx:run:${run}:results`;
const linesKey = (run: string) => `baanx:run:${run}:lines`;

/** The first answer stays: a token that is asked about twice answers 401 the second time, and was confirmed all the same. */
export async function addResult(redis: Redis, run: string, digest: string, result: Omit<Result, "at">) {
  const key = resultsKey(run);
  const text = JSON.stringify({ ...result, at: new Date().toISOString() });
  await redis.multi().hsetnx(key, digest, text).expire(key, KEPT).exec();
}

/** Deletes a result, for that of another attempt. */
export const dropResult = (redis: Redis, run: string, digest: string) => redis.hdel(resultsKey(run), digest);

/** Returns the number of tokens with a result. */
export const countResults = (redis: Redis, run: string) => redis.hlen(resultsKey(run));

/** Returns the results in the order of the digests; undefined for a token without one. */
export async function readResults(
  redis: Redis,
  run: string,
  digests: string[],
): Promise<(Result | undefined)[]> {
  if (digests.length === 0) return [];
  const texts = await redis.hmget(resultsKey(run), ...digests);
  return texts.map((text) => (text === null ? undefined : JSON.parse(text)));
}

/** Deletes the lines of a run: its list is read from the start each time. */
export const clearLines = (redis: Redis, run: string) => redis.del(linesKey(run));

export async function addLines(redis: Redis, run: string, lines: ListedLine[]): Promise<void> {
  if (lines.length === 0) return;
  const key = linesKey(run);
  await redis
    .multi()
    .rpush(key, ...lines.map((line) => JSON.stringify(line)))
    .expire(key, KEPT)
    .exec();
}

/** Returns the lines in batches of `size`. */
export async function* linesOf(redis: Redis, run: string, size: number): AsyncGenerator<ListedLine[]> {
  for (let start = 0; ; start += size) {
    const texts = await redis.lrange(linesKey(run), start, start + size - 1);
    if (texts.length === 0) return;
    yield texts.map((text) => JSON.parse(text));
  }
}
