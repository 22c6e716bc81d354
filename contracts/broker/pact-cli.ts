/**
 * Runs `pact broker …`, Pact's command line for a broker: with the credentials in its environment, in a time
 * that is limited, and with its failures said in one line. What is asked of it is up to the commands.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { redact } from "../target.ts";
import { BrokerError, refusal } from "./http.ts";
import type { Settings } from "./settings.ts";

const cli = createRequire(import.meta.url).resolve("@pact-foundation/pact-cli/bin/pact.js");
const limit = 60_000;

export interface Answer {
  code: number | null;
  /** Both outputs, without secrets. */
  text: string;
}

/** @throws BrokerError when it did not come to an end in time, or the broker refused the credentials */
export async function pactBroker(
  settings: Settings,
  args: readonly string[],
  /** Seconds that it may take more, since it waits for something. */
  waits = 0,
): Promise<Answer> {
  // By default it tries again for over a minute.
  const child = spawn(process.execPath, [cli, "broker", ...args, "--retries", "1"], {
    env: environmentFor(settings),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const timer = setTimeout(() => child.kill("SIGKILL"), limit + waits * 1_000);
  const [code, signal] = await once(child, "close").finally(() => clearTimeout(timer));
  if (signal !== null)
    throw new BrokerError(`The broker at ${settings.baseUrl} took more than ${limit / 1_000 + waits} s.`);
  const text = redact(output, settings).trim();
  const refused = /failed: (401|403)\b/.exec(text)?.[1];
  if (code !== 0 && refused) throw new BrokerError(refusal(settings, Number(refused)));
  return { code, text };
}

/** What it said that explains a failure: it repeats itself, and decorates. */
export function reasonIn(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/^[❌\s]+/u, "").trim());
  const line = lines.find(
    (one) => one !== "" && !/^(📨|Details|Pact publication failed|failed validation)/u.test(one),
  );
  return line?.slice(0, 300) ?? "it gave no reason";
}

function environmentFor({ variables, isLoopback }: Settings): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PACT_|BAANX_|OTEL_)/.test(name) && !(isLoopback && /^(https?|all)_proxy$/i.test(name)),
  );
  return { ...Object.fromEntries(kept), ...variables, PACT_DO_NOT_TRACK: "true" };
}
