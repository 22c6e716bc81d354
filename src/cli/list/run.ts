/**
 * Ends the tokens of a list: several workers take line after line, so that nothing is read ahead of them. Pauses and
 * retries are decided in `pacing.ts`, results are printed by `report.ts`, and `journal.ts` remembers them.
 */
import type { Config } from "../../options.ts";
import type { Endpoint, Region } from "../../record.ts";
import { endAndVerify, isRefusal, type Outcome, unproven } from "../outcome.ts";
import { codeOf, endTornResults, type Io, say, shellQuoted } from "../output.ts";
import { configOf } from "../settings.ts";
import { countOf, type Flags, type Invocation, UsageError } from "../usage.ts";
import { checkList, EMPTY } from "./check.ts";
import { type Journal, type Keys, keysOf, noJournal, openJournal, readJournal } from "./journal.ts";
import { linesOf } from "./lines.ts";
import { askWithPacing, createCircuitBreaker, createPacer } from "./pacing.ts";
import { createReport } from "./report.ts";
import { type Row, rowOf } from "./row.ts";

/** 401s that wait for the first 200 of their region: a few megabytes at most. */
const MOST_WAITING = 10_000;

/** @returns the exit code; @throws UsageError */
export async function endList(endpoint: Endpoint, { flags, args }: Invocation, io: Io): Promise<number> {
  const config = configOf(flags, io);
  const concurrency = countOf("concurrency", flags.concurrency ?? "8", 256);
  const keys = keysOf(config, endpoint);
  const journal = await journalOf(flags, io);
  try {
    if (flags["dry-run"]) return await checkList(config, journal, keys, flags, io);
    if (endTornResults(io)) say(io, "The last line of the earlier results was torn: it is ended.");
    return await work({ endpoint, flags, command: commandOf(args), config, concurrency, keys, journal }, io);
  } finally {
    journal.close();
  }
}

async function journalOf(flags: Flags, io: Io): Promise<Journal> {
  if (flags.journal === undefined) return noJournal;
  try {
    const journal = await (flags["dry-run"] ? readJournal : openJournal)(flags.journal);
    if (journal.unread > 0) say(io, `${journal.unread} lines of the journal are ignored: they are torn.`);
    return journal;
  } catch (error) {
    const reason = error instanceof Error && !("code" in error) ? error.message : codeOf(error);
    throw new UsageError(`The journal cannot be used: ${reason}.`);
  }
}

/** The command of this run, to be pasted into a shell. */
const commandOf = (args: string[]): string =>
  ["npx --no -- baanx-session", ...args.map(shellQuoted)].join(" ");

interface Work {
  endpoint: Endpoint;
  flags: Flags;
  command: string;
  config: Config;
  concurrency: number;
  keys: Keys;
  journal: Journal;
}

interface Held {
  row: Row;
  key: string;
  at: Date;
}

/** @returns the exit code */
async function work(
  { endpoint, flags, command, config, concurrency, keys, journal }: Work,
  io: Io,
): Promise<number> {
  const stop = new AbortController();
  let exitCode: number | undefined;
  /** Takes no further line; requests in flight are finished. */
  function halt(reason: string, code = 1): void {
    if (stop.signal.aborted) return;
    exitCode = code;
    stop.abort();
    // A worker may be waiting for a line.
    io.stdin.destroy();
    report.say(`Stopped: ${reason}.`, "red");
  }
  const signal = io.signals();
  signal.addEventListener("abort", () =>
    halt(
      `interrupted (${signal.reason}); requests in flight are finished`,
      signal.reason === "SIGTERM" ? 143 : 130,
    ),
  );
  const report = createReport(io, endpoint, flags.json, (code) =>
    halt(code === "EPIPE" ? "the output was closed" : `the results cannot be written (${code})`),
  );
  const pacer = createPacer({
    signal: stop.signal,
    giveUp: (reason) => halt(`${reason}; run it again later`),
    onPause: (ms) =>
      report.say(`The server asks to wait: all requests pause for ${(ms / 1_000).toFixed(1)} s.`),
  });
  const ask = askWithPacing(
    pacer,
    config,
    stop.signal,
    createCircuitBreaker((reason) => halt(reason, 2)),
  );
  const regions: readonly Region[] = ["international", "us"];
  const proven = new Set(regions.filter((region) => journal.get(keys.environment(region))));
  const waiting: Record<Region, Held[]> = { international: [], us: [] };

  function record(key: string, entry: Parameters<Journal["add"]>[1]): void {
    try {
      journal.add(key, entry);
    } catch (error) {
      halt(`the journal cannot be written (${codeOf(error)})`);
    }
  }

  async function settle({ row, key, at }: Held, outcome: Outcome): Promise<void> {
    if (outcome.server !== "unconfirmed") record(key, outcome.server);
    await report.outcome(row, outcome, at);
  }

  /** Ends one token. Resolves to whether it was sent. */
  async function endRow(row: Row): Promise<boolean> {
    const { accessToken, region } = row;
    const key = keys.token(region, accessToken);
    const known = journal.get(key);
    if (known && known !== "proven") {
      await report.journaled(row, known);
      return false;
    }
    const outcome = await endAndVerify(ask, endpoint, { accessToken, region }, flags.verify);
    const held = { row, key, at: new Date() };
    if (outcome.server === "confirmed") {
      if (!proven.has(region)) record(keys.environment(region), "proven");
      proven.add(region);
      await settle(held, outcome);
      for (const one of waiting[region].splice(0)) await settle(one, { server: "already-invalid" });
    } else if (!isRefusal(outcome)) await settle(held, outcome);
    // A wrong environment answers 401 to everything.
    else if (flags["accept-401"] || proven.has(region)) await settle(held, { server: "already-invalid" });
    else if (waiting[region].length < MOST_WAITING) waiting[region].push(held);
    else await settle(held, unproven);
    return true;
  }

  const lines = linesOf(io.stdin);
  let isEmpty = true;
  async function worker(): Promise<void> {
    for await (const line of lines) {
      const row = rowOf(line, config.region);
      let isSent = false;
      if (row) isEmpty = false;
      if (row && "reason" in row) await report.invalid(row);
      else if (row) isSent = await endRow(row);
      report.advance(line, isSent);
      if (stop.signal.aborted) return;
    }
  }
  const workers = Array.from({ length: concurrency }, () =>
    worker().catch((error) => {
      // A stop ends the input, which rejects the waiting workers.
      if (!stop.signal.aborted) halt(`the list cannot be read (${codeOf(error)})`, 2);
    }),
  );
  await Promise.all(workers);
  const rest = regions.flatMap((region) => waiting[region]);
  for (const held of rest) await settle(held, unproven);
  if (isEmpty && !stop.signal.aborted) throw new UsageError(EMPTY);
  if (rest.length > 0)
    report.say(
      "401 to every token of a region: is it the right environment? --accept-401 counts them as ended.",
    );
  const isEnded = report.summary(stop.signal.aborted, command);
  return exitCode ?? (isEnded ? 0 : 1);
}
