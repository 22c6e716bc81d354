/**
 * `npm run contracts:publish`: publishes the recorded contract to a Pact Broker with Pact's command line, after proving
 * which commit it belongs to.
 */
import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { provenBuild, shownBuild } from "../contracts/broker/build.ts";
import { pactBroker } from "../contracts/broker/pact-cli.ts";
import { settingsFrom, settingsHelp } from "../contracts/broker/settings.ts";
import { runCommand } from "../contracts/command.ts";
import { readPact, recordedPact } from "../contracts/pact-file.ts";
import { consumerName } from "../contracts/states.ts";
import { pactReason } from "../src/cli/pact-replay.ts";

const help = `Usage: npm run contracts:publish -- [--version <version>] [--branch <branch>] [--build-url <url>]
                                  [--pacts <folder>] [--allow-dirty] [--dry-run]

Publishes what contracts/pacts holds. Version, branch and the URL of the build are the
pipeline's, or else version and branch are git's; the output says whose they are. Nothing is
published unless git answers, the pact files are those of its commit, nothing else is
uncommitted, and that commit is the pipeline's.

  --version <version>  default: the commit, of a dirty tree with -dirty behind it
  --branch <branch>    default: the branch
  --build-url <url>    default: the one of the pipeline, if it is one
  --pacts <folder>     a folder of pact files instead of contracts/pacts
  --allow-dirty        publishes although something is not committed
  --dry-run            shows what would be sent, and sends nothing
  --help               shows this text

${settingsHelp}
Exit codes: 0 published, or published before and unchanged; 1 refused by the broker,
broker unreachable, nothing to publish, or a dirty tree; 2 wrong usage.
`;

await runCommand({
  name: "contracts:publish",
  help,
  options: {
    version: { type: "string" },
    branch: { type: "string" },
    "build-url": { type: "string" },
    pacts: { type: "string" },
    "allow-dirty": { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  async run({ pacts, "allow-dirty": allowDirty, "dry-run": isDry, ...given }) {
    const settings = settingsFrom(process.env);
    const folder = pacts ?? dirname(recordedPact);
    const shown = relative(process.cwd(), folder) || ".";
    const files = await pactsIn(folder, shown);
    const paths = files.map((file) => join(folder, file));
    const build = provenBuild(process.env, given, paths, allowDirty === true);
    const { version, branch, buildUrl } = build;
    const what = shownBuild(consumerName, build);
    if (isDry) {
      process.stdout.write(`Would publish to ${settings.baseUrl}: ${what}\n`);
      for (const file of files) process.stdout.write(`  ${file}\n`);
      return;
    }

    const url = buildUrl ? ["--build-url", buildUrl] : [];
    const as = ["--consumer-app-version", version, "--branch", branch, ...url];
    const { code, text } = await pactBroker(settings, ["publish", ...paths, ...as]);
    if (/Cannot change the content of the pact/.test(text))
      throw new Error(
        `Version ${version} is published already, with another content, and the broker does not change it: publish from a new commit, or give another --version.`,
      );
    if (code !== 0) throw new Error(`The broker did not take ${shown}: ${pactReason(text)}`);
    const isOld = /republished .* with no content changes/.test(text);
    process.stdout.write(
      `${isOld ? "Was published already" : "Published"} to ${settings.baseUrl}: ${what}\n`,
    );
  },
});

/** Returns the names of the pact files, after reading each. Other files are not sent. */
async function pactsIn(folder: string, shown: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json")).sort();
  if (names.length === 0)
    throw new Error(`Nothing to publish: ${shown} does not contain a pact. Run \`npm run contracts\`.`);
  for (const name of names) {
    const pact = await readPact(join(folder, name)).catch(() => undefined);
    if (pact?.consumer.name !== consumerName)
      throw new Error(`${name} in ${shown} is not a pact of ${consumerName}. Run \`npm run contracts\`.`);
  }
  return names;
}
