/**
 * Runs `openapi/sessions.arazzo.yaml` against a provider with Redocly's runner. What the workflows are is that document;
 * this hands in what is known of the provider, and keeps its secrets out of what the runner says.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { collect } from "../process.ts";
import { redact, type Target } from "../target.ts";

const root = resolve(import.meta.dirname, "../..");
const document = join(root, "openapi", "sessions.arazzo.yaml");

export interface WorkflowRun {
  isPassed: boolean;
  /** What the runner says, without secrets. */
  text: string;
  /** The workflows that lack something, a line each. */
  skipped: string[];
}

type Inputs = Record<string, string | undefined>;

/** What each workflow wants to know, by the names of the document. */
function workflowsOf({ clientKey, email, password, authorizations }: Target): Record<string, Inputs> {
  const [oauthToken, otherOauthToken] = authorizations.find((tokens) => tokens.length > 1) ?? [];
  return {
    session: { clientKey, email, password },
    authorization: { clientKey, oauthToken, otherOauthToken },
  };
}

const lacks = {
  session: "BAANX_CLIENT_KEY, BAANX_TEST_EMAIL and BAANX_TEST_PASSWORD",
  authorization: "BAANX_CLIENT_KEY, and in BAANX_TEST_OAUTH_TOKENS an authorization with two access tokens",
};

export async function runWorkflows(target: Target): Promise<WorkflowRun> {
  const workflows = workflowsOf(target);
  const isReady = (inputs: Inputs = {}) => Object.values(inputs).every(Boolean);
  const ready = Object.keys(workflows).filter((name) => isReady(workflows[name]));
  const skipped = Object.entries(lacks).flatMap(([name, lack]) =>
    ready.includes(name) ? [] : [`${name} was skipped: it wants ${lack}.`],
  );
  if (ready.length === 0) return { isPassed: false, text: "", skipped };

  const folder = await mkdtemp(join(tmpdir(), "workflows-"));
  try {
    const log = join(folder, "log.json");
    const inputs = Object.assign({}, ...ready.map((name) => workflows[name]));
    const chosen = ready.flatMap((name) => ["--workflow", name]);
    const redocly = join(root, "node_modules", ".bin", "redocly");
    const { PATH, HOME } = process.env;
    const child = spawn(redocly, ["respect", document, "--json-output", log, ...chosen], {
      cwd: root,
      // Secrets are in no argument, which other processes could read.
      env: {
        ...{ PATH, HOME, REDOCLY_TELEMETRY: "off", NO_COLOR: "1" },
        REDOCLY_CLI_RESPECT_SERVER: `baanx=${target.baseUrl}`,
        REDOCLY_CLI_RESPECT_INPUT: JSON.stringify(inputs),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { code, out, err } = await collect(child);
    const logged = await readFile(log, "utf8").catch(() => "");
    // Of what it says on stderr, only a crash without a result matters.
    const text = logged === "" ? `${out}\n${err}` : out.replace(/\n *JSON logs saved in .*/, "");
    const secrets = [...target.secrets, ...tokensIn(logged)];
    return { isPassed: code === 0, text: `${redact(text, { ...target, secrets }).trim()}\n`, skipped };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The access tokens that the provider has given, which the runner quotes where a body is not as it should be. */
function tokensIn(log: string): string[] {
  return [...log.matchAll(/"accessToken": "([^"]+)"/g)].map(([, token = ""]) => token);
}
