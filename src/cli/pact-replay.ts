/**
 * Replays a contract with Pact's own verifier, as the caller has installed it (@pact-foundation/pact-cli). It stands
 * between the verifier and the provider states, because the verifier reports a failed state without its reason, sends
 * example values where a state returned too little, and repeats a state that answers 5xx for minutes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "./usage.ts";

export type Fields = Record<string, unknown>;

export interface Replay {
  /** The arguments that name the contracts: `--file <file>`, or those of a broker. */
  contracts: readonly string[];
  providerUrl: string;
  /** Resolves to the values of a provider state. A rejection makes its interaction unready, {@link Skip} skipped. */
  bringAbout(state: string, params: Fields): Promise<Fields>;
  /** Strings that no output may hold; the values of states are added. */
  secrets: string[];
  /** Variables for the verifier besides those of this process, such as a broker's credentials. */
  variables?: Record<string, string>;
  /** Ends the run at the first state that fails, before the verifier publishes anything of that contract. */
  isPublished?: boolean;
}

export interface Interaction {
  description: string;
  state: string;
  /** A `pending` mismatch informs and fails nothing; `unready`: the state was not brought about, which proves nothing. */
  outcome: "passed" | "failed" | "pending" | "unready" | "skipped";
  /** Why it did not pass. */
  reason: string;
}

/** A state that cannot be reached here: not a fault of the provider. */
export class Skip extends Error {}

export interface Replayed {
  interactions: Interaction[];
  /** The verifier's words for each contract: its name, the reason to verify it, whether it is pending. */
  notes: string[];
  /** The reason for a missing or incomplete result. */
  problem?: string;
}

/** Pact's command line of the caller's project, or else of this one. @throws UsageError if it is missing */
export function pactCommand(): string {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url])
    try {
      // The program itself: a signal to the script that npm installs for it would not reach it.
      const { standalone } = createRequire(from)("@pact-foundation/pact-cli/src/pact-standalone.js");
      return String(standalone().pactFullPath);
    } catch {
      // Not installed there.
    }
  throw new UsageError(
    "Pact's command line is missing: run `npm install --save-dev @pact-foundation/pact-cli@18`.",
  );
}

/** Starts Pact's command line. Of the variables that steer it, it gets the given ones only. */
export function startPact(args: readonly string[], variables: Record<string, string> = {}): ChildProcess {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PACT_|OTEL_|BAANX_)/.test(name));
  const { NO_PROXY = process.env["no_proxy"] } = process.env;
  // A proxy cannot reach this machine.
  const direct = [NO_PROXY, "127.0.0.1", "localhost", "[::1]"].filter(Boolean).join(",");
  return spawn(pactCommand(), args, {
    env: {
      ...Object.fromEntries(kept),
      ...{ NO_PROXY: direct, no_proxy: direct, PACT_DO_NOT_TRACK: "true", ...variables },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Returns both outputs of a process, and its exit code; undefined if it was killed. */
export async function outputOf(child: ChildProcess): Promise<{ code: number | undefined; text: string }> {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  const [code] = await once(child, "close");
  return { code: code ?? undefined, text };
}

/** Replays contracts against a provider. */
export async function replay(run: Replay): Promise<Replayed> {
  const { contracts, providerUrl, variables, isPublished, secrets } = run;
  const folder = await mkdtemp(join(tmpdir(), "baanx-session-verify-"));
  const asked: { state: string; error?: unknown }[] = [];
  let child: ChildProcess | undefined;
  const states = await serveStates(async (state, params) => {
    const one: (typeof asked)[number] = { state };
    asked.push(one);
    try {
      const values = await run.bringAbout(state, params);
      secrets.push(...Object.values(values).filter((value) => typeof value === "string"));
      return values;
    } catch (error) {
      one.error = error;
      if (isPublished) child?.kill("SIGKILL");
      throw error;
    }
  });
  try {
    const report = join(folder, "report.json");
    const { protocol, hostname, port, pathname } = new URL(providerUrl);
    const path = pathname.replace(/\/+$/, "");
    const args = [
      ...["verifier", ...contracts, "--json", report, "--no-colour", "--request-timeout", "30000"],
      ...["--transport", protocol.slice(0, -1), "--hostname", hostname],
      ...["--port", port || (protocol === "https:" ? "443" : "80"), ...(path ? ["--base-path", path] : [])],
      ...["--state-change-url", states.url],
    ];
    child = startPact(args, variables);
    const { text } = await outputOf(child);
    const failed = isPublished ? asked.find(({ error }) => error !== undefined) : undefined;
    if (failed)
      return {
        interactions: [],
        notes: [],
        problem: redact(`${failed.state}: ${messageOf(failed.error)}`, secrets),
      };
    const json = await readFile(report, "utf8").catch(() => "");
    if (json === "") return { interactions: [], notes: [], problem: redact(pactReason(text), secrets) };
    return resultsIn(fieldsOf(JSON.parse(json)), asked, secrets);
  } finally {
    await states.close();
    await rm(folder, { recursive: true });
  }
}

/** The report has the results in the order of the states, of which each interaction of the contract has one. */
function resultsIn(report: Fields, asked: { state: string; error?: unknown }[], secrets: string[]): Replayed {
  const left = { failed: listOf(report["errors"]), pending: listOf(report["pendingErrors"]) };
  const results = listOf(report["interactionResults"]).map(fieldsOf);
  if (results.length !== asked.length)
    throw new Error(`Pact's verifier asked for ${asked.length} states for ${results.length} interactions.`);
  const interactions = results.map(({ description, result }, index): Interaction => {
    const { state, error } = asked[index] ?? { state: "" };
    const one = { description: String(description), state };
    if (result === "OK") return { ...one, outcome: "passed", reason: "" };
    const title = ` Given ${state} - ${description}`;
    for (const outcome of ["failed", "pending"] as const) {
      const found = left[outcome].findIndex((entry) =>
        String(fieldsOf(entry)["interaction"]).endsWith(title),
      );
      if (found < 0) continue;
      const [entry] = left[outcome].splice(found, 1);
      if (error !== undefined)
        return {
          ...one,
          outcome: error instanceof Skip ? "skipped" : "unready",
          reason: redact(messageOf(error), secrets),
        };
      return { ...one, outcome, reason: redact(mismatchIn(fieldsOf(entry)["mismatch"]), secrets) };
    }
    throw new Error(`Pact's verifier gave no reason for "${description}".`);
  });
  const lines = listOf(report["output"]).flatMap((line) => String(line).split("\n"));
  const notes = lines.filter((line) => /^(The pact at |This pact is |\s+\* |Verifying a pact )/.test(line));
  return { interactions, notes: notes.map((note) => redact(note, secrets)) };
}

function mismatchIn(mismatch: unknown): string {
  const { mismatches, message } = fieldsOf(mismatch);
  const reasons = listOf(mismatches).map((one) => {
    const { type, path, key, mismatch: said } = fieldsOf(one);
    const place = type === "StatusMismatch" ? "status" : (path ?? key);
    return place === undefined ? String(said) : `${place}: ${said}`;
  });
  if (reasons.length > 0) return reasons.join("; ");
  const [line = ""] = String(message).split("\n", 1);
  return line.includes("error sending request") ? "no answer" : line;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The line of Pact's output that explains a failure: it repeats itself, and decorates. */
export function pactReason(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/^([❌\s]|\S+Z +(ERROR|WARN)[^:]*: )+/u, "").trim())
    .filter((line) => line !== "" && !/^(📨|Details|Pact publication failed|failed validation)/u.test(line));
  return lines[0]?.slice(0, 300) ?? "Pact's command line gave no reason";
}

/** An endpoint on loopback that the verifier asks for provider states. It answers 4xx to a failure, never 5xx. */
async function serveStates(
  bringAbout: Replay["bringAbout"],
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { state, params } = fieldsOf(JSON.parse(Buffer.concat(chunks).toString()));
      const values = await bringAbout(String(state), fieldsOf(params));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(values));
    } catch {
      response.writeHead(400).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the failures, a line for each reason, and then a line for each interaction. */
export function replayReport(interactions: readonly Interaction[], provider: string): string {
  const marks = {
    failed: "✗ ",
    unready: "✗ not brought about: ",
    pending: "  pending: ",
    skipped: "  skipped: ",
  };
  const first = Object.entries(marks).flatMap(([outcome, mark]) =>
    reasonsOf(interactions, outcome).map((line) => `${mark}${line}\n`),
  );
  const each = interactions.map(
    ({ description, state, outcome }) => `  ${outcome.padEnd(8)} ${description}, given ${state}\n`,
  );
  const counts = ["passed", ...Object.keys(marks)].map(
    (outcome) => `${interactions.filter((one) => one.outcome === outcome).length} ${outcome}`,
  );
  const lead = first.length > 0 ? `${first.join("")}\n` : "";
  return `${lead}Verified against ${provider}\n\n${each.join("")}\n${counts.join(", ")}\n`;
}

/** A line for each reason: the interactions it concerns, or the states that were not brought about. */
function reasonsOf(interactions: readonly Interaction[], wanted: string): string[] {
  const byReason = new Map<string, Set<string>>();
  for (const { description, state, outcome, reason } of interactions) {
    if (outcome !== wanted) continue;
    const name = outcome === "unready" ? state : description;
    byReason.set(reason, new Set([...(byReason.get(reason) ?? []), name]));
  }
  return [...byReason].map(([reason, names]) => `${[...names].join("; ")}: ${reason}`);
}

/** The text with every secret left out, the longest first: a short one may be a part of it. */
export function redact(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .filter((secret) => secret !== "")
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
}

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? { ...value } : {};
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
