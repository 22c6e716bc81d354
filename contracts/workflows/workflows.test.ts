/** Runs the Arazzo document's workflows with Redocly, as in contracts/README.md. Only the correct provider passes. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { collect, type Ran } from "../process.ts";
import { brokenAnswers } from "../proof/broken-answers.ts";
import { brokenEffects } from "../proof/broken-effects.ts";
import { intact, startBroken } from "../proof/proof.ts";

const root = resolve(import.meta.dirname, "../..");

async function respect(name: string): Promise<Ran> {
  const breakage = [intact, ...brokenAnswers, ...brokenEffects].find((one) => one.name === name);
  if (!breakage) throw new Error(`There is no broken provider "${name}".`);
  const { target, close } = await startBroken(breakage);
  const { baseUrl, clientKey, email, password, authorizations } = target;
  const [oauthToken, otherOauthToken] = authorizations.find((tokens) => tokens.length > 1) ?? [];
  const { PATH, HOME } = process.env;
  const child = spawn(
    join(root, "node_modules", ".bin", "redocly"),
    ["respect", join(root, "openapi", "sessions.arazzo.yaml"), "--server", `baanx=${baseUrl}`],
    {
      cwd: root,
      // Not as an argument, which other processes could read.
      env: {
        ...{ PATH, HOME, REDOCLY_TELEMETRY: "off", NO_COLOR: "1" },
        REDOCLY_CLI_RESPECT_INPUT: JSON.stringify({
          clientKey,
          email,
          password,
          oauthToken,
          otherOauthToken,
        }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return collect(child).finally(close);
}

it.concurrent("passes the sandbox in both workflows", async () => {
  const { code, out } = await respect(intact.name);
  expect(out).toContain("Workflows: 2 passed, 2 total");
  expect(out).toMatch(/Steps: 13 passed, 13 total/);
  expect(code).toBe(0);
});

it.concurrent.each([
  ["a logout leaves the token alive", "isRefused", "$statusCode == 401"],
  ["a revocation ends the one access token that it is sent with", "otherIsRefused", "$statusCode == 401"],
  ['a logout answers {"success": false}', "logOut", "$response.body#/success == true"],
])("rejects a provider where %s", async (name, step, says) => {
  const { code, out } = await respect(name);
  expect(code).not.toBe(0);
  // The list of failures has the step and its expectation.
  const [, failures = ""] = out.split("Failed tests info");
  expect(failures).toContain(`stepId - ${step}`);
  expect(failures).toContain(says);
  expect(out).toContain("1 failed, 2 total");
});
