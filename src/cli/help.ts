/** The texts of `--help`, for the whole and for each command. The options are in `usage.ts`. */
import { fileURLToPath } from "node:url";
import type { Io } from "./output.ts";
import { type Command, commands, type Option, options } from "./usage.ts";

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
    text: `Runs a sandbox of the Baanx API, not Baanx, until it is interrupted (Ctrl-C) or
the shell that started it ends. Its state is in memory. Each request is logged on
stderr, without its tokens.

A fault has the keys of misbehave(), separated by commas: path, method, status,
times, delay (ms, or forever), drop, handled, truncate, trickle and body; and
retry-after, in seconds.`,
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
  completion: {
    line: "prints a script for the completion of a shell",
    text: `Prints a script that completes commands and options in bash or zsh. Add the
example to the file that your shell reads at its start.`,
  },
};

const environment = `Environment:
  BAANX_BASE_URL      such as https://dev.api.baanx.com
  BAANX_CLIENT_KEY    the public client key
  BAANX_ACCESS_TOKEN  the access token; without it, it is read from standard input
  BAANX_REGION        international or us
No option takes a secret, and the output never holds one.
`;

const lists = `Lists: a line is a token or {"accessToken": "…", "region": "us", "id": "…"}, where
region and id may be missing. Each line gets one line of result, named by its id
or else its number; a line that is not valid does not stop the run. A 401 counts
as ended once another token of the same region got a 200. With --journal, run the
same command again after a crash or Ctrl-C, and append the results (>>).
docs/command-line.md has all rules.
`;

const ofEnding = `  0    ended (with --stdin: all of the list)
  1    unconfirmed: the token may be alive; or a line that is not valid; or the
       list has stopped for another reason than those of 2
  2    wrong usage or configuration, and nothing was sent; or the list has stopped,
       since it cannot be read, the server cannot be reached, or the client key is
       not accepted
  130  interrupted (143 by SIGTERM); lines without a result were not sent, unless
       it was interrupted twice`;

const codes: Record<Command, string> = {
  logout: ofEnding,
  revoke: ofEnding,
  probe: `  0    conclusive: the word that is printed, active or invalid, is true
  1    inconclusive: the server did not answer the question
  2    wrong usage or configuration; nothing was sent`,
  sandbox: `  0    stopped
  1    the port or the address cannot be used
  2    wrong usage`,
  codegen: `  0    done
  1    no valid specification, not writable, or (--check) out of date
  2    wrong usage, or openapi-typescript is missing`,
  verify: `  0    the provider keeps the contract; a mismatch that is pending informs
  1    it does not, a state was not brought about, or the verifier came without a result
  2    wrong usage, or @pact-foundation/pact-cli is missing`,
  completion: `  0    printed
  2    wrong usage`,
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
  sandbox: [
    "baanx-session sandbox --port 8787",
    "baanx-session sandbox --port 8787 --tokens 1000 > list.jsonl",
    "baanx-session sandbox --fault path=/v1/auth/logout,status=429,retry-after=2,times=3",
  ],
  codegen: [
    "baanx-session codegen api.yaml --output src/api.ts",
    "baanx-session codegen api.yaml --output src/api.ts --check",
    "baanx-session codegen api.yaml --output src/api.ts -- --immutable --alphabetize",
  ],
  verify: [
    "baanx-session verify --provider-url http://127.0.0.1:8080 --state-url http://127.0.0.1:8080/_pact/state",
  ],
  completion: ['eval "$(baanx-session completion bash)"', 'eval "$(baanx-session completion zsh)"'],
};

const section = (title: string, lines: string[]) =>
  `${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`;

const documentation = ({ root }: Io) =>
  section("Documentation", [
    `of this command  ${fileURLToPath(new URL("README.md", root))}`,
    "of the API       https://docs.baanx.com",
  ]);

export const mainHelp = (io: Io): string => `Usage: baanx-session <command> [options]

${(Object.keys(commands) as Command[]).map((name) => `  ${name.padEnd(16)}${about[name].line}`).join("\n")}

  ${"help <command>".padEnd(16)}shows the help of a command, as --help after it does
  ${options.version.name.padEnd(16)}${options.version.text}
  ${options.help.name.padEnd(16)}${options.help.text}

${section(
  "Examples",
  (Object.keys(commands) as Command[]).flatMap((name) => examples[name].slice(0, 1)),
)}
${environment}
${documentation(io)}`;

const syntax: Partial<Record<Command, string>> = {
  codegen: "[specification] [options] [-- generator options]",
  completion: "bash|zsh",
};

export function helpOf(command: Command, io: Io): string {
  const names: Option[] = [...commands[command], "help"];
  const rows = names.map((option) => {
    const { name, text } = options[option];
    return `  ${name.padEnd(21)} ${text.replaceAll("\n", `\n${" ".repeat(24)}`)}`;
  });
  return [
    `Usage: baanx-session ${command} ${syntax[command] ?? "[options]"}\n`,
    `${about[command].text}\n`,
    `${rows.join("\n")}\n`,
    section("Examples", examples[command]),
    ...(names.includes("region") ? [environment] : []),
    ...(names.includes("stdin") ? [lists] : []),
    `Exit codes:\n${codes[command]}\n`,
    documentation(io),
  ].join("\n");
}
