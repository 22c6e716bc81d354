/** Runs the Arazzo document's workflows with Redocly, as in contracts/README.md. Only the correct provider passes. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { collect, type Ran } from "../process.ts";
import type { Breakage } from "../proof/breakage.ts";
import { brokenEffects } from "../proof/broken-effects.ts";
import { intact, startBroken } from "../proof/proof.ts";

const root = resolve(import.meta.dirname, "../..");

async function respect(breakage: Breakage): Promise<Ran> {
  const { target, close } = await startBroken(breakage);
  const { baseUrl, clientKey, email, password, authorizations } = target;
  const [oauthToken, otherOauthToken] = authorizations.find((tokens) => tokens.length > 1) ?? [];
  const input = { clientKey, email, password, oauthToken, otherOauthToken };
  const { PATH, HOME } = process.env;
  const child = spawn(
    join(root, "node_modules", ".bin", "redocly"),
    ["respect", join(root, "openapi", "sessions.arazzo.yaml"), "--server", `baanx=${baseUrl}`],
    {
      cwd: root,
      // Not as an argument, which other processes could read.
      env: {
        ...{ PATH, HOME, REDOCLY_TELEMETRY: "off", NO_COLOR: "1" },
        REDOCLY_CLI_RESPECT_INPUT: JSON.stringify(input),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return collect(child).finally(close);
}

it.concurrent("passes the sandbox in both workflows", async () => {
  const { code, out } = await respect(intact);
  expect(out).toContain("Workflows: 2 passed, 2 total");
  expect(out).toMatch(/Steps: 13 passed, 13 total/);
  expect(code).toBe(0);
});

it.concurrent("rejects a provider that leaves the token of a logout alive, and names the step", async () => {
  const [leavesTokenAlive = intact] = brokenEffects;
  const { code, out } = await respect(leavesTokenAlive);
  expect(code).not.toBe(0);
  // The list of failures has the step and its expectation.
  const [, failures = ""] = out.split("Failed tests info");
  expect(failures).toContain("stepId - isRefused");
  expect(failures).toContain("$statusCode == 401");
  expect(out).toContain("1 failed, 2 total");
});
