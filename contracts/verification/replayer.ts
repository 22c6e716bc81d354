/** The process behind `replay.ts`: takes a pact of one interaction, runs Pact's verifier, sends what did not match. */
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Verifier } from "@pact-foundation/pact";
import { mismatchesIn } from "./mismatch.ts";
import type { Replay, Replayed } from "./replay.ts";

const dir = mkdtempSync(join(tmpdir(), "baanx-session-replay-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

process.on("message", async (what: Replay) => {
  const answer = await replay(what).catch((error: unknown) => ({ error: String(error) }));
  process.send?.(answer);
});
process.on("disconnect", () => process.exit(0));
// A provider that drops a connection is an error that Pact's proxy throws at nobody: an answer to the
// question at hand, after which the verifier still waits, so that this process cannot end in good order.
process.on("uncaughtException", ({ message }) => {
  const mismatch = { attribute: "other", identifier: "", description: `no answer: ${message}` } as const;
  const answer: Replayed = { mismatches: [mismatch], isLast: true };
  rmSync(dir, { recursive: true, force: true });
  process.send?.(answer, () => process.kill(process.pid, "SIGKILL"));
});

async function replay({ baseUrl, pact, values }: Replay): Promise<Replayed> {
  const file = join(dir, "pact.json");
  await writeFile(file, JSON.stringify(pact));
  const states = pact.interactions.flatMap(({ providerStates }) => providerStates);
  const stateHandlers = Object.fromEntries(states.map(({ name }) => [name, async () => values]));
  const verifier = new Verifier({
    providerBaseUrl: baseUrl,
    pactUrls: [file],
    stateHandlers,
    logLevel: "error",
    timeout: 10_000,
    followRedirects: false,
  });
  // It rejects with its results when an interaction that is not pending failed.
  const results = await verifier.verifyProvider().catch((error: Error) => error.message);
  return { mismatches: mismatchesIn(results) };
}
