/** The words of `--help`, for the whole and for each command. Which options a command takes is in `usage.ts`. */
import { type Command, commands, type Option } from "./usage.ts";

const about: Record<Command, { line: string; text: string }> = {
  logout: {
    line: "ends the session of an access token",
    text: `Asks the server to end the session of one access token (POST /v1/auth/logout),
or of each token of a list (--stdin).`,
  },
  revoke: {
    line: "revokes the OAuth authorization of an access token",
    text: `Asks the server to end every token of the OAuth authorization that one access
token belongs to (DELETE /v1/auth/oauth/revoke), or of each token of a list
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
    line: "runs a stand-in for the Baanx API on this machine",
    text: `Runs a stand-in for the Baanx API, not Baanx, on 127.0.0.1 until it is
interrupted (Ctrl-C). What it knows is forgotten at the end.`,
  },
};

const options: Record<Option, [name: string, text: string]> = {
  region: ["--region <name>", "international or us; default BAANX_REGION, or international"],
  timeout: [
    "--timeout <ms>",
    "for one ending, further attempts included; of a list, for one\nrequest; default 5000",
  ],
  verify: [
    "--verify",
    "afterwards the token must be refused by GET /v1/user, or else the\nending is unconfirmed",
  ],
  json: ["--json", "prints the result as JSON, one object a line"],
  stdin: ["--stdin", "reads a list from standard input"],
  concurrency: ["--concurrency <n>", "requests at once, 1 to 256; default 8"],
  journal: ["--journal <file>", "notes what has ended, and leaves out what was noted before"],
  "accept-401": ["--accept-401", "counts each 401 as ended, whatever else was answered"],
  port: ["--port <number>", "the port to listen on, 0 to 65535; default 0: any free port"],
  help: ["--help", "shows this text"],
  version: ["--version", "prints the version"],
};

const environment = `Environment:
  BAANX_BASE_URL      such as https://dev.api.baanx.com
  BAANX_CLIENT_KEY    the public client key
  BAANX_ACCESS_TOKEN  the access token; without it, it is read from standard input
  BAANX_REGION        international or us
No option takes a secret. What is printed never holds one.
`;

const lists = `Lists: one JSON object a line, {"accessToken": "…", "region": "us", "id": "…"}.
region and id may be missing. Each line gets one line of result, named by its id
or else its number. A line that is not valid is reported and does not stop the
run. On 429 all requests pause together, as long as Retry-After says.
A 401 counts as ended once another token of the same region got a 200 in this
run: a wrong environment answers 401 to everything.
With --journal, run the same command again after a crash or Ctrl-C: what is in
the journal is not sent again, everything else is. It holds hashes, no tokens.
Ctrl-C takes no further lines and waits for what is under way; twice, it does not.
`;

const codes: Record<Command, string> = {
  logout: `  0    ended, or not accepted any more (with --stdin: all of the list)
  1    unconfirmed: the token may be alive; or a line that is not valid
  2    wrong usage or configuration; nothing was sent
  130  interrupted (143 by SIGTERM); what was not reported was not sent`,
  revoke: `  0    ended (with --stdin: all of the list)
  1    unconfirmed: a token may be alive; or a line that is not valid
  2    wrong usage or configuration; nothing was sent
  130  interrupted (143 by SIGTERM); what was not reported was not sent`,
  probe: `  0    conclusive: the word that is printed, active or invalid, is true
  1    inconclusive: the server did not answer the question
  2    wrong usage or configuration; nothing was sent`,
  sandbox: `  0    stopped
  1    the port cannot be had
  2    wrong usage`,
};

export const mainHelp = `Usage: baanx-session <command> [options]

${(Object.keys(commands) as Command[]).map((name) => `  ${name.padEnd(10)}${about[name].line}`).join("\n")}

  ${options.version[0].padEnd(10)}${options.version[1]}
  ${options.help[0].padEnd(10)}${options.help[1]}; after a command, that of the command

${environment}`;

export function helpOf(command: Command): string {
  const names: Option[] = [...commands[command], "help"];
  const rows = names.map((name) => {
    const [left, text] = options[name];
    return `  ${left.padEnd(20)}${text.replaceAll("\n", `\n${" ".repeat(22)}`)}`;
  });
  const isList = commands[command].some((name) => name === "stdin");
  return [
    `Usage: baanx-session ${command} [options]\n`,
    `${about[command].text}\n`,
    `${rows.join("\n")}\n`,
    ...(command === "sandbox" ? [] : [environment]),
    ...(isList ? [lists] : []),
    `Exit codes:\n${codes[command]}\n`,
  ].join("\n");
}
