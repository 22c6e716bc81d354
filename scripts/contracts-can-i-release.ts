/**
 * `npm run contracts:can-i-release`: asks a Pact Broker whether a version of the package works with the provider
 * there is. It decides which question is asked, and what a pipeline does with a no.
 */

import { buildFrom } from "../contracts/broker/build.ts";
import { createBroker } from "../contracts/broker/http.ts";
import { pactBroker, reasonIn } from "../contracts/broker/pact-cli.ts";
import { settingsFrom, settingsHelp } from "../contracts/broker/settings.ts";
import { runCommand, UsageError } from "../contracts/command.ts";
import { consumerName, providerName } from "../contracts/states.ts";

const help = `Usage: npm run contracts:can-i-release -- [--version <version>] [--gate] [--wait <seconds>]
                    [--provider-version <version> | --environment <name>] [--dry-run]

Asks the broker whether this version of ${consumerName} has a contract that the provider
has verified with success: by default the newest version of the provider's main branch.

  --version <version>           default: the commit
  --provider-version <version>  asks about this version of the provider
  --environment <name>          asks about what the provider has recorded as deployed there
  --gate                        for a release pipeline: a no blocks only once the provider has
                                published a verification of its own; until then it is reported
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
    // No branch takes part in the question.
    const { version } = buildFrom(process.env, { version: given, branch: "none" });
    const of = provider
      ? `version ${provider}`
      : environment
        ? `what is in ${environment}`
        : "its main branch";
    const question = `version ${version} of ${consumerName} with ${providerName}, ${of}`;
    if (isDry) {
      const until = wait > 0 ? `, for ${wait} s while a verification is missing` : "";
      process.stdout.write(`Would ask ${settings.baseUrl} about ${question}${until}\n`);
      return;
    }

    const broker = createBroker(settings);
    await broker.check();
    // Of the main branch alone it would be every version there ever was.
    const selected = provider ? ["--version", provider] : ["--latest", "--main-branch"];
    const other = environment
      ? ["--to-environment", environment]
      : ["--pacticipant", providerName, ...selected];
    // Not as JSON: that exits with 0 whatever the answer is.
    const args = ["can-i-deploy", "--pacticipant", consumerName, "--version", version, ...other];
    // Nobody is waited for who has never verified anything.
    const isBlocking = !gate || (await broker.isVerifiedByProvider());
    const seconds = isBlocking ? wait : 0;
    const { code, text } = await pactBroker(settings, [...args, ...patience(seconds)], seconds);
    process.stdout.write(tableIn(text));
    if (code === 0 && /Computer says yes/.test(text)) {
      process.stdout.write(`Yes: ${question}\n`);
      return;
    }
    const no = `No: ${reasonIn(sentencesIn(text))}`;
    if (isBlocking) throw new Error(no);
    process.stdout.write(
      `${no}\nThis does not block: ${providerName} has not published a verification of its own yet, so the gate only reports.\n`,
    );
  },
});

function patience(seconds: number): string[] {
  const interval = 5;
  const times = Math.ceil(seconds / interval);
  return times > 0 ? ["--retry-while-unknown", String(times), "--retry-interval", String(interval)] : [];
}

function secondsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 3_600) return Number(text);
  throw new UsageError("--wait takes seconds, from 0 to 3600.");
}

function tableIn(text: string): string {
  const lines = text.split("\n").filter((line) => /^[┌│╞├└]/.test(line));
  return lines.map((line) => `${line}\n`).join("");
}

/** Without the table, the list of results and the verdict, what is left says why. */
function sentencesIn(text: string): string {
  const others = /^([┌│╞├└]|-+$|VERIFICATION RESULTS|\d+\. http)|Computer says no|No deployable version/;
  return text
    .split("\n")
    .filter((line) => !others.test(line))
    .join("\n");
}
