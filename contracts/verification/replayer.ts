/** The process behind `replay.ts`: takes a pact of one interaction, runs Pact's verifier, sends what did not match. */
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Verifier } from "@pact-foundation/pact";
import { fieldsOf } from "../pact-file.ts";
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
  const answer: Replayed = { mismatches: [`no answer: ${message}`], isLast: true };
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
  return { mismatches: mismatchesOf(results) };
}

/** The results are JSON of the native verifier, read here and nowhere else. */
function mismatchesOf(results: unknown): string[] {
  const parsed: unknown = typeof results === "string" ? JSON.parse(results) : results;
  const { interactionResults } = fieldsOf(parsed);
  if (!Array.isArray(interactionResults) || interactionResults.length !== 1)
    throw new Error("it did not replay one interaction");
  const { result, mismatch } = fieldsOf(interactionResults[0]);
  if (result === "OK") return [];
  const { mismatches, message } = fieldsOf(mismatch);
  const texts = Array.isArray(mismatches) ? mismatches.map((one) => fieldsOf(one)["mismatch"]) : [message];
  return texts.map((text) => (typeof text === "string" ? text : "the verifier gave no reason"));
}
