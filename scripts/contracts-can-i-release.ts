/**
 * `npm run contracts:can-i-release`: asks a Pact Broker whether a version of the package works with the provider. Chooses
 * the question, the time to wait, and the effect of a negative answer on a pipeline.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { buildFrom, referencePrefix } from "../contracts/broker/build.ts";
import { matrixOf } from "../contracts/broker/pact-cli.ts";
import { type Settings, settingsFrom, settingsHelp } from "../contracts/broker/settings.ts";
import { runCommand, UsageError } from "../contracts/command.ts";
import { consumerName, providerName } from "../contracts/states.ts";

const help = `Usage: npm run contracts:can-i-release -- [--version <version>] [--gate] [--wait <seconds>]
                    [--provider-version <version> | --environment <name>] [--dry-run]

Asks the broker whether this version of ${consumerName} has a contract that the provider
has verified with success: by default the newest version of the provider's main branch.

  --version <version>           default: the commit
  --provider-version <version>  asks about this version of the provider
  --environment <name>          asks about the version that the provider has recorded as deployed there
  --gate                        for a release pipeline: a no blocks only once the provider has
                                published a verification of its main branch; until then it
                                is reported
  --wait <seconds>              while a verification is missing, asks again for so long: the one
                                that a publication has triggered takes its time; default 0,
                                at most 3600
  --dry-run                     shows what would be asked, and asks nothing
  --help                        shows this text

${settingsHelp}
Exit codes: 0 yes (with --gate also a no that does not block), 1 no or broker unreachable,
2 wrong usage.
`;

await runCommand({
  name: "contracts:can-i-release",
  help,
  options: {
    version: { type: "string" },
    "provider-version": { type: "string" },
    environment: { type: "string" },
    gate: { type: "boolean" },
    wait: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run(values) {
    const settings = settingsFrom(process.env);
    const { version: given, "provider-version": provider, environment, gate, "dry-run": isDry } = values;
    const wait = secondsOf(values.wait ?? "0");
    if (provider !== undefined && environment !== undefined)
      throw new UsageError("--provider-version and --environment are two questions: ask one.");
    // The question does not involve a branch.
    const { version } = buildFrom(process.env, { version: given, branch: "none" });
    const of = provider
      ? `version ${provider}`
      : environment
        ? `the versions in ${environment}`
        : "its main branch";
    const question = `version ${version} of ${consumerName} with ${providerName}, ${of}`;
    if (isDry) {
      const until = wait > 0 ? `, for ${wait} s while a verification is missing` : "";
      process.stdout.write(`Would ask ${settings.baseUrl} about ${question}${until}\n`);
      return;
    }

    const selected = provider ? ["--version", provider] : ["--latest", "--main-branch"];
    const other = environment
      ? ["--to-environment", environment]
      : ["--pacticipant", providerName, ...selected];
    const asked = ["--pacticipant", consumerName, "--version", version, ...other];
    // Does not wait for a provider that has never verified anything.
    const isBlocking = !gate || (await isVerifiedByMainBranch(settings));
    const { isDeployable, reason } = await answerWithin(isBlocking ? wait : 0, settings, asked);
    if (isDeployable) {
      process.stdout.write(`Yes: ${question}\n`);
      return;
    }
    if (isBlocking) throw new Error(`No: ${reason}`);
    process.stdout.write(
      `No: ${reason}\nThis does not block: the main branch of ${providerName} has not published a verification yet, so the gate only reports.\n`,
    );
  },
});

/** Retries while a verification is missing. Pact's own `--retry-while-unknown` stops at the first negative answer. */
async function answerWithin(seconds: number, settings: Settings, question: readonly string[]) {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const answer = await matrixOf(settings, question);
    const left = end - performance.now();
    if (answer.isDeployable || answer.failed > 0 || left <= 0) return answer;
    await sleep(Math.min(5_000, left));
  }
}

/** Checks that the provider's main branch has published a result. The sandbox and other branches do not count. */
async function isVerifiedByMainBranch(settings: Settings): Promise<boolean> {
  const question = ["--pacticipant", consumerName, "--pacticipant", providerName, "--main-branch"];
  const { rows } = await matrixOf(settings, question);
  return rows.some(({ provider, result }) => result !== "" && !provider.startsWith(referencePrefix));
}

function secondsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 3_600) return Number(text);
  throw new UsageError("--wait takes seconds, from 0 to 3600.");
}
