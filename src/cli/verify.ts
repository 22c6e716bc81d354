/**
 * The command `verify`: replays the contract of the package against a provider whose states are brought about by an
 * endpoint of its test build. The replay is `pact-replay.ts`.
 */
import { readFile } from "node:fs/promises";
import { escaped, escapedLines, type Io } from "./output.ts";
import { type Fields, fieldsOf, listOf, pactCommand, replay, replayReport } from "./pact-replay.ts";
import { UsageError } from "./usage.ts";

export interface VerifyRequest {
  pact?: string | undefined;
  "provider-url"?: string | undefined;
  "state-url"?: string | undefined;
  ownPact: string;
}

/** Resolves to the exit code. @throws UsageError */
export async function runVerify(request: VerifyRequest, { stdout, stderr }: Io): Promise<number> {
  const providerUrl = addressOf("provider-url", request["provider-url"]);
  const stateUrl = addressOf("state-url", request["state-url"]);
  const file = request.pact ?? request.ownPact;
  const needed = await valuesOf(file);
  pactCommand();
  const { interactions, problem } = await replay({
    contracts: ["--file", file],
    providerUrl,
    secrets: [],
    async bringAbout(state, params) {
      const values = await askForState(stateUrl, state, params);
      const missing = [...(needed.get(state) ?? [])].filter((name) => typeof values[name] !== "string");
      if (missing.length > 0) throw new Error(`the state endpoint returned no ${missing.join(" and no ")}`);
      return values;
    },
  });
  if (problem !== undefined) {
    stderr.write(`verify: ${escaped(problem)}\n`);
    return 1;
  }
  stdout.write(escapedLines(replayReport(interactions, providerUrl)));
  return interactions.every(({ outcome }) => outcome === "passed" || outcome === "pending") ? 0 : 1;
}

async function askForState(url: string, state: string, params: Fields): Promise<Fields> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ state, params, action: "setup" }),
    signal: AbortSignal.timeout(25_000),
  }).catch(() => {
    throw new Error("the state endpoint gave no answer");
  });
  if (!response.ok) throw new Error(`the state endpoint answered ${response.status}`);
  return fieldsOf(await response.json().catch(() => undefined));
}

/** The values that each state has to return: the requests of the contract name them. */
async function valuesOf(file: string): Promise<Map<string, Set<string>>> {
  let pact: Fields;
  try {
    pact = fieldsOf(JSON.parse(await readFile(file, "utf8")));
  } catch {
    throw new UsageError("--pact takes a pact file.");
  }
  const needed = new Map<string, Set<string>>();
  for (const { providerStates, request } of listOf(pact["interactions"]).map(fieldsOf)) {
    const names = [...JSON.stringify(fieldsOf(request)["generators"] ?? {}).matchAll(/\$\{(\w+)\}/g)];
    for (const { name } of listOf(providerStates).map(fieldsOf)) {
      const known = needed.get(String(name)) ?? new Set();
      needed.set(String(name), new Set([...known, ...names.map(([, value = ""]) => value)]));
    }
  }
  return needed;
}

function addressOf(option: string, text: string | undefined): string {
  if (text === undefined) throw new UsageError(`verify needs --${option}, an address of your test build.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new UsageError(
      `--${option} takes an address that begins with http:// or https://, without credentials.`,
    );
  return url.href.replace(/\/+$/, "");
}
