/**
 * What became of the tokens of an incident, in Redis until it is read: for each line which token it named, and for each
 * token what the server said. Tokens are named by their digests. Everything here is gone after 30 days.
 */
import type { SessionErrorCode } from "baanx-session";
import type { Redis } from "ioredis";
import type { Place } from "./seal.ts";

/** What is known of a token. */
export interface Result {
  server: "confirmed" | "already-invalid" | "unconfirmed" | "expired";
  error?: { code: SessionErrorCode; status?: number };
  /** When, in ISO 8601. */
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

/** The first word stays: a token that is asked twice answers 401 the second time, and still was confirmed. */
export async function addResult(redis: Redis, run: string, digest: string, result: Omit<Result, "at">) {
  const key = resultsKey(run);
  const text = JSON.stringify({ ...result, at: new Date().toISOString() });
  await redis.multi().hsetnx(key, digest, text).expire(key, KEPT).exec();
}

/** Makes room for the result of another attempt. */
export const dropResult = (redis: Redis, run: string, digest: string) => redis.hdel(resultsKey(run), digest);

/** How many tokens have one. */
export const countResults = (redis: Redis, run: string) => redis.hlen(resultsKey(run));

/** In the order of the digests; undefined where there is none yet. */
export async function readResults(
  redis: Redis,
  run: string,
  digests: string[],
): Promise<(Result | undefined)[]> {
  if (digests.length === 0) return [];
  const texts = await redis.hmget(resultsKey(run), ...digests);
  return texts.map((text) => (text === null ? undefined : JSON.parse(text)));
}

/** Begins the lines of a run, or begins them anew: its list is read from the start each time. */
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

/** So many at a time. */
export async function* linesOf(redis: Redis, run: string, size: number): AsyncGenerator<ListedLine[]> {
  for (let start = 0; ; start += size) {
    const texts = await redis.lrange(linesKey(run), start, start + size - 1);
    if (texts.length === 0) return;
    yield texts.map((text) => JSON.parse(text));
  }
}
