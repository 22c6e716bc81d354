/**
 * Every script of package.json and every command of the documents starts: here, or in the file that is listed with it. Their
 * own tests cover their effects.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listOf, useCli } from "../cli-support.ts";
import { commandsInBlocks, documents, root, scriptsInDocuments } from "./documents.ts";
import { started } from "./started.ts";

const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

interface Start {
  /** After `npm run <script>`. */
  args?: string;
  says: RegExp;
  /** Default 0. */
  codes?: number[];
  /** Runs until it is interrupted. */
  stays?: true;
  /** Writes `dist`, which other commands read. */
  builds?: true;
}

const help: Start = { args: "-- --help", says: /Usage/i };
/** A suite that is asked for a file that it does not have. */
const none: Start = { args: "-- nothing", says: /No test files found/, codes: [1] };

/** The scripts that are started here. */
const starts: Record<string, Start> = {
  build: { says: /Build complete/, builds: true },
  start: { says: /\n20 steps held, 0 did not/ },
  sandbox: { args: "-- --port 0", says: /address +http:\/\/127\.0\.0\.1:\d+/, stays: true },
  example: {
    args: "-- --port 0",
    says: /The example is at http:\/\/127\.0\.0\.1:\d+/,
    stays: true,
    builds: true,
  },
  broker: help,
  contracts: help,
  conformance: help,
  docs: help,
  codegen: help,
  "contracts:verify": help,
  "contracts:publish": help,
  "contracts:can-i-release": help,
  "test:redis": none,
  "test:broker": none,
  "test:runtimes": none,
  "test:browser": none,
};

/** Commands of documents that are more than a script of npm, and what they say. */
const others: Record<string, Start> = {
  "npx tsx scripts/bench/run.ts nothing": { says: /Unknown benchmark nothing/, codes: [1] },
  // What would be installed is in the lock files, so nothing has to be fetched to see that they are right.
  "npm ci --prefix scripts/bench --dry-run --offline": { says: /added \d+ packages|up to date/ },
  "npm ci --prefix test/runtimes --dry-run --offline": { says: /added \d+ packages|up to date/ },
  "npx tsx scripts/bench/many-tokens.ts --tokens 50": { says: /rate over the bare loop/ },
  "npx stryker run --help": help,
  // One step more takes a quarter of an hour.
  "EXPLORE_DEEPER=1 npx vitest run --project explorations test/explore.test.ts -t nothing": {
    says: /\d+ skipped/,
  },
  "npx tsx scripts/spec-compare.ts --help": help,
  "npx tsx scripts/release-version.ts --help": help,
  "npx tsx scripts/release-pack.ts --help": help,
  "npm test -- nothing": { says: /Unknown check nothing\. The checks are build, lint, /, codes: [2] },
  "npm test -- size pipelines": { says: /\n2 passed, 0 failed\n$/ },
};

/** The scripts that are started elsewhere. */
const elsewhere: Record<string, string> = {
  test: ".ci/run",
  // Its build and its program are started below.
  bench: "test/commands/commands.test.ts",
  prepack: "test/package.test.ts",
  lint: "scripts/checks.ts",
};

/** The commands of the documents besides scripts, and the file that starts or prints them. */
const commands: Record<string, string> = {
  "npm ci": ".ci/run",
  "npx --no -- baanx-session logout < token.txt": "here",
  "npx --no -- baanx-session logout --verify < token.txt": "here",
  "npx --no -- baanx-session probe < token.txt": "here",
  "npx --no -- baanx-session revoke --verify < token.txt": "here",
  "npx --no -- baanx-session probe --json < token.txt": "here",
  "npx --no -- baanx-session revoke --stdin --dry-run < list.jsonl": "here",
  "npx --no -- baanx-session sandbox --port 8787 --tokens 1000 > list.jsonl": "test/cli-sandbox.test.ts",
  "npx --no -- baanx-session sandbox --port 8787 --fault path=/v1/auth/logout,status=429,retry-after=2,times=3":
    "test/cli-sandbox.test.ts",
  "npx --no -- baanx-session revoke --stdin --json --journal ended.journal < list.jsonl >> results.jsonl":
    "here",
  "npm install --save-dev openapi-typescript@7 typescript@5": "src/cli/codegen.ts",
  "npm install --prefix tools openapi-typescript@7 typescript@5": "src/cli/codegen.ts",
  "npm install --save-dev baanx-session @pact-foundation/pact-cli@18": "test/provider-kit.test.ts",
  "npx --no -- baanx-session verify --provider-url http://127.0.0.1:8080 --state-url http://127.0.0.1:8080/_pact/state":
    "test/provider-kit.test.ts",
  "npx --no -- baanx-session codegen api.yaml --output src/api.ts": "test/package.test.ts",
  "npx --no -- baanx-session codegen api.yaml --output src/api.ts --check": "test/package.test.ts",
  'npx @redocly/cli respect sessions.arazzo.yaml --server baanx="$PROVIDER_BASE_URL"':
    "contracts/workflows/workflows.test.ts",
  "bundle install --gemfile contracts/broker/Gemfile": ".ci/run",
  "npx tsx scripts/spec-compare.ts https://provider.example/openapi.json":
    "contracts/comparison/comparison.test.ts",
  "redis-server --port 6379": "test/redis/processes.ts",
  "npx tsx examples/server-redis/server.ts": "test/redis/processes.ts",
  "redis-server --port 6379 --appendonly yes": "test/redis/processes.ts",
  "npx tsx examples/server-queue/worker.ts": "test/redis/processes.ts",
  "npx tsx examples/server-queue/dead-letters.ts": "test/redis/queue.test.ts",
  "npx tsx examples/server-queue/dead-letters.ts --retry": "test/redis/queue.test.ts",
};

/** The commands of Pact's own tool, with the settings of the reader, and which file starts the like of them. */
const pacts: [command: RegExp, file: string][] = [
  [/^npx --no -- pact verifier /, "contracts/broker/provider.e2e.ts"],
  [/^npx --no -- pact broker can-i-deploy /, "contracts/broker/provider.e2e.ts"],
  [/^npx --no -- pact broker record-deployment /, "contracts/broker/provider.e2e.ts"],
  [/^npx --no -- pact broker create-or-update-pacticipant /, "contracts/broker/flow.e2e.ts"],
  [/^npx --no -- pact broker create-or-update-webhook /, "contracts/broker/flow.e2e.ts"],
  [/^npx --no -- pact broker record-release /, "contracts/broker/flow.e2e.ts"],
  [/^npx --no -- pact broker record-support-ended /, "contracts/broker/flow.e2e.ts"],
];

/** Nothing here can start them: one needs Docker, one is another's tool, one is of another's repository. */
const foreign = /^(docker compose|pact_verifier_cli|git checkout) /;

describe("every script of package.json", () => {
  it("has a start below, or in another file", () => {
    const known = [...Object.keys(starts), ...Object.keys(elsewhere)];
    expect(Object.keys(scripts).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(Object.entries(elsewhere))("%s is named by %s", (name, file) => {
    expect(readFileSync(join(root, file), "utf8")).toContain(name === "prepack" ? '"pack"' : name);
  });

  const start = async (name: string, { args = "", says, codes = [0], stays }: Start) => {
    const { code, said } = await started(`npm run ${name} ${args}`, root, stays && says);
    expect(said).toMatch(says);
    expect(said).not.toMatch(/SyntaxError|ERR_MODULE_NOT_FOUND|command not found/);
    if (!stays) expect(codes).toContain(code);
  };
  const all = Object.entries(starts);
  it.each(all.filter(([, { builds }]) => builds))("%s starts", start);
  it.concurrent.each(all.filter(([, { builds }]) => !builds))("%s starts", start);

  it.concurrent.each(Object.entries(others))("%s starts", async (command, { says, codes = [0] }) => {
    const { code, said } = await started(command);
    expect(said).toMatch(says);
    expect(codes).toContain(code);
  });
});

describe("every command of the documents", () => {
  it("runs the installed package, never one of that name from a registry", () => {
    const own = readdirSync(join(root, "src", "cli")).map((name) => join("src", "cli", name));
    for (const name of [...documents, ...own.filter((path) => path.endsWith(".ts"))])
      expect(readFileSync(join(root, name), "utf8")).not.toMatch(/npx (?!--no -- )(baanx-session|pact) /);
  });

  it("exists, if it is a script of npm", () => {
    const named = scriptsInDocuments();
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("in a block is a script or has a test", () => {
    const isScript = (command: string) => /^npm (run \S+|start|test)( -- .*)?$/.test(command);
    const found = commandsInBlocks();
    expect(found.length).toBeGreaterThan(15);
    const isPacts = (command: string) => pacts.some(([pattern]) => pattern.test(command));
    const isKnown = (command: string) => command in commands || isPacts(command) || foreign.test(command);
    expect(found.filter((command) => !isScript(command) && !isKnown(command))).toEqual([]);
    // And nothing is listed that no document names.
    expect(Object.keys(commands).filter((command) => !found.includes(command))).toEqual([]);
  });

  it.each(Object.entries(commands).filter(([, file]) => file !== "here"))(
    "%s has its program named in %s",
    (command, file) => {
      const text = readFileSync(join(root, file), "utf8");
      const [, word = ""] =
        /^(?:npx tsx .*\/|npx --no -- baanx-session |npx @redocly\/cli |npx )?([\w-]+)/.exec(command) ?? [];
      expect(text).toContain(word);
    },
  );
});

it.each(pacts)("the like of %s is started by %s", (command, file) => {
  const word = command.source.split(" ").at(-2) ?? "";
  expect(readFileSync(join(root, file), "utf8")).toContain(`"${word}"`);
  expect(commandsInBlocks().some((found) => command.test(found))).toBe(true);
});

describe("the commands of baanx-session in the documents", () => {
  const cli = useCli();

  it.each(Object.keys(commands).filter((command) => commands[command] === "here"))("%s", async (command) => {
    const [, args = ""] = /baanx-session (.*?) < \S+( >> \S+)?$/.exec(command) ?? [];
    const { accessToken } = args.startsWith("logout") ? cli.sandbox.login() : cli.sandbox.authorize();
    const input = args.includes("--stdin") ? listOf([{ accessToken }]) : accessToken;
    const words = args.replace("ended.journal", cli.path("ended.journal")).split(" ");
    const { code, out, err } = await cli.run(words, { input });
    expect(out + err).toMatch(/confirmed|active|1 to send/);
    expect(code).toBe(0);
    expect(cli.sandbox.isAlive(accessToken)).toBe(/probe|--dry-run/.test(command));
  });
});
