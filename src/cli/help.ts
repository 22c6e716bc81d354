/** The words of `--help`, for the whole and for each command. Which options a command takes is in `usage.ts`. */
import type { Package } from "./main.ts";
import { type Command, commands, type Option } from "./usage.ts";

const about: Record<Command, { line: string; text: string }> = {
  logout: {
    line: "ends the session of an access token",
    text: `Asks the server to end the session of one access token (POST /v1/auth/logout),
or of each token of a list (--stdin).

A 401 to one token alone is unconfirmed: the token may have ended, or belong to
another environment or region, where it lives on.`,
  },
  revoke: {
    line: "revokes every token of an OAuth client",
    text: `Asks the server to end every token of the OAuth client that one access token
belongs to (DELETE /v1/auth/oauth/revoke), or of each token of a list
(--stdin).

A 401 says that the access token is not accepted, and nothing of the refresh
token beside it. For one token it is therefore unconfirmed. In a list it counts
for the access token that is listed (see below), and the summary says so.`,
  },
  probe: {
    line: "says whether an access token is accepted",
    text: `Asks the server once whether it accepts an access token (GET /v1/user), which
changes nothing. Prints "active" or "invalid".`,
  },
  sandbox: {
    line: "runs a sandbox of the Baanx API on this machine",
    text: `Runs a sandbox of the Baanx API, not Baanx, on 127.0.0.1 until it is
interrupted (Ctrl-C). What it knows is forgotten at the end.`,
  },
  codegen: {
    line: "generates the TypeScript types of an OpenAPI specification",
    text: `Generates the TypeScript types of an OpenAPI 3.x specification: a YAML or JSON
file, an address, or standard input (-), of at most 20 MB; without one, of the
Baanx session API, as baanx-session/openapi.yaml has it.
createSession<paths>() and createBindings<paths>() take the result.

It is openapi-typescript that generates, as your project has installed it:
npm install --save-dev openapi-typescript@7 typescript@5
A project with TypeScript 7 installs both in a folder of their own:
npm install --prefix tools openapi-typescript@7 typescript@5
redocly.yaml is read as by openapi-typescript; its options come after --.`,
  },
  verify: {
    line: "verifies a provider against the contract of this package",
    text: `Replays the contract (baanx-session/pact.json) against a test build of a
provider with Pact's own verifier, and says in one line what broke. Provider
states are brought about by an endpoint of that build, as contracts/README.md
describes it. A state that fails, or returns too little, fails the run.

The verifier is Pact's, as your project has installed it:
npm install --save-dev @pact-foundation/pact-cli@18`,
  },
};

const options: Record<Option, [name: string, text: string]> = {
  region: ["--region <name>", "international or us; default BAANX_REGION, or international"],
  timeout: [
    "--timeout <ms>",
    "for one ending, further attempts included; of a list, for one\nrequest; default 5000, at most 60000",
  ],
  verify: [
    "--verify",
    "afterwards the token must be refused by GET /v1/user, or else the\nending is unconfirmed",
  ],
  json: ["--json", "prints the result as JSON, one object a line"],
  stdin: ["--stdin", "reads a list from standard input"],
  concurrency: ["--concurrency <n>", "requests at once, 1 to 256; default 8"],
  journal: ["--journal <file>", "notes what has ended, and leaves out what was noted before"],
  "accept-401": [
    "--accept-401",
    "counts each 401 as ended: for tokens that are known to belong to\nthis environment and region",
  ],
  "dry-run": ["--dry-run", "checks and counts a list, and sends nothing"],
  port: ["--port <number>", "the port to listen on, 0 to 65535; default 0: any free port"],
  output: ["--output <file>", "the file of the types"],
  check: [
    "--check",
    "writes nothing; fails when the file is missing or out of date. A file\nmade by openapi-typescript itself is up to date, too",
  ],
  strict: ["--strict", "fails when the generator warns"],
  "provider-url": ["--provider-url <url>", "the test build, such as http://127.0.0.1:8080"],
  "state-url": ["--state-url <url>", "its state endpoint, such as\nhttp://127.0.0.1:8080/_pact/state"],
  pact: ["--pact <file>", "another contract; default baanx-session/pact.json"],
  help: ["-h, --help", "shows this text"],
  version: ["-V, --version", "prints the version"],
};

const environment = `Environment:
  BAANX_BASE_URL      such as https://dev.api.baanx.com
  BAANX_CLIENT_KEY    the public client key
  BAANX_ACCESS_TOKEN  the access token; without it, it is read from standard input
  BAANX_REGION        international or us
No option takes a secret. What is printed never holds one.
`;

const lists = `Lists: one JSON object a line, {"accessToken": "…", "region": "us", "id": "…"}.
region and id may be missing; no other key is valid. Each line gets one line of
result, named by its id or else its number. A line that is not valid is reported
and does not stop the run; --dry-run finds them all beforehand. On 429 all
requests pause together, as long as Retry-After says. After 20 answers in a row
that the client key is not accepted, or 20 times no answer, the run stops.
A 401 counts as ended once another token of the same region got a 200 in this
run: a wrong environment answers 401 to everything.
With --journal, run the same command again after a crash or Ctrl-C: what is in
the journal is not sent again, and its result says how it had ended. Everything
else is sent. Append the results (>>), so that those of all runs are kept. The
journal holds hashes, no tokens.
Ctrl-C takes no further lines and waits for what is under way; twice, it does not.
`;

const ofEnding = `  0    ended (with --stdin: all of the list)
  1    unconfirmed: the token may be alive; or a line that is not valid; or the
       list has stopped for another reason than those of 2
  2    wrong usage or configuration, and nothing was sent; or the list has stopped,
       since it cannot be read, the server cannot be reached, or the client key is
       not accepted
  130  interrupted (143 by SIGTERM); what was not reported was not sent, unless
       it was interrupted twice`;

const codes: Record<Command, string> = {
  logout: ofEnding,
  revoke: ofEnding,
  probe: `  0    conclusive: the word that is printed, active or invalid, is true
  1    inconclusive: the server did not answer the question
  2    wrong usage or configuration; nothing was sent`,
  sandbox: `  0    stopped
  1    the port cannot be had
  2    wrong usage`,
  codegen: `  0    done
  1    no valid specification, not writable, or (--check) out of date
  2    wrong usage, or openapi-typescript is missing`,
  verify: `  0    the provider keeps the contract; a mismatch that is pending informs
  1    it does not, a state was not brought about, or the verifier has no result
  2    wrong usage, or @pact-foundation/pact-cli is missing`,
};

const examples: Record<Command, string[]> = {
  logout: [
    "baanx-session logout < token.txt",
    "jq -r .accessToken login.json | baanx-session logout --verify",
    "baanx-session logout --stdin --dry-run < list.jsonl",
    "baanx-session logout --stdin --json --journal ended.journal < list.jsonl >> results.jsonl",
  ],
  revoke: [
    "baanx-session revoke < token.txt",
    "baanx-session revoke --stdin --json --journal ended.journal < list.jsonl >> results.jsonl",
  ],
  probe: ["baanx-session probe --region us < token.txt"],
  sandbox: ["baanx-session sandbox --port 8787"],
  codegen: [
    "baanx-session codegen api.yaml --output src/api.ts",
    "baanx-session codegen api.yaml --output src/api.ts --check",
    "baanx-session codegen api.yaml --output src/api.ts -- --immutable --alphabetize",
  ],
  verify: [
    "baanx-session verify --provider-url http://127.0.0.1:8080 --state-url http://127.0.0.1:8080/_pact/state",
  ],
};

const section = (title: string, lines: string[]) =>
  `${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`;

const documentation = ({ readme }: Package) =>
  section("Documentation", [`of this command  ${readme}`, "of the API       https://docs.baanx.com"]);

export const mainHelp = (ownPackage: Package): string => `Usage: baanx-session <command> [options]

${(Object.keys(commands) as Command[]).map((name) => `  ${name.padEnd(16)}${about[name].line}`).join("\n")}

  ${"help <command>".padEnd(16)}shows the help of a command, as --help after it does
  ${options.version[0].padEnd(16)}${options.version[1]}
  ${options.help[0].padEnd(16)}${options.help[1]}

${section(
  "Examples",
  (Object.keys(commands) as Command[]).flatMap((name) => examples[name].slice(0, 1)),
)}
${environment}
${documentation(ownPackage)}`;

export function helpOf(command: Command, ownPackage: Package): string {
  const names: Option[] = [...commands[command], "help"];
  const rows = names.map((name) => {
    const [left, text] = options[name];
    return `  ${left.padEnd(20)}${text.replaceAll("\n", `\n${" ".repeat(22)}`)}`;
  });
  const isList = commands[command].some((name) => name === "stdin");
  return [
    `Usage: baanx-session ${command} ${command === "codegen" ? "[specification] [options] [-- generator options]" : "[options]"}\n`,
    `${about[command].text}\n`,
    `${rows.join("\n")}\n`,
    section("Examples", examples[command]),
    ...(commands[command].some((name) => name === "region") ? [environment] : []),
    ...(isList ? [lists] : []),
    `Exit codes:\n${codes[command]}\n`,
    documentation(ownPackage),
  ].join("\n");
}
