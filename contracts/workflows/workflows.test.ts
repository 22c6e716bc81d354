/** The workflows of the Arazzo document pass the sandbox, and reject those that end too little or say so. */
import { describe, expect, it } from "vitest";
import { runScript } from "../fixtures/run.ts";
import type { Breakage } from "../proof/breakage.ts";
import { brokenAnswers } from "../proof/broken-answers.ts";
import { brokenEffects } from "../proof/broken-effects.ts";
import { startBroken } from "../proof/proof.ts";
import { openTarget } from "../target.ts";
import { runWorkflows } from "./run.ts";

const broken: { name: string; from: readonly Breakage[]; step: string; says: string }[] = [
  {
    name: "a logout leaves the token alive",
    from: brokenEffects,
    step: "isRefused",
    says: "$statusCode == 401",
  },
  {
    name: "a revocation ends the one access token that it is sent with",
    from: brokenEffects,
    step: "otherIsRefused",
    says: "$statusCode == 401",
  },
  {
    name: 'a logout answers {"success": false}',
    from: brokenAnswers,
    step: "logOut",
    says: "$response.body#/success == true",
  },
];

it.concurrent.each(broken)("a provider is rejected where $name", async ({ name, from, step, says }) => {
  const breakage = from.find((one) => one.name === name);
  if (!breakage) throw new Error(`There is no broken provider "${name}".`);
  const { target, close } = await startBroken(breakage);
  const { isPassed, text } = await runWorkflows(target).finally(close);
  expect(isPassed).toBe(false);
  // In the list of what failed: the step, and what it wanted.
  const [, failures = ""] = text.split("Failed tests info");
  expect(failures).toContain(`stepId - ${step}`);
  expect(failures).toContain(says);
  expect(text).toContain("1 failed, 2 total");
});

it.concurrent("the sandbox passes both workflows, and no token is shown", async () => {
  const { target, close } = await openTarget({}, undefined, false);
  const { isPassed, text, skipped } = await runWorkflows(target).finally(close);
  expect(text).toContain("Workflows: 2 passed, 2 total");
  expect(text).toMatch(/Steps: 13 passed, 13 total/);
  expect({ isPassed, skipped }).toEqual({ isPassed: true, skipped: [] });
});

it.concurrent("no token is shown where a body is not as it should be, either", async () => {
  const leaky: Breakage = {
    name: "a login answers with a number for the user",
    behave: () => async () =>
      Response.json({ accessToken: "not-a-token-to-be-shown", userId: 7, isOtpRequired: false }),
  };
  const { target, close } = await startBroken(leaky);
  const { isPassed, text } = await runWorkflows(target).finally(close);
  expect(isPassed).toBe(false);
  expect(text).toContain("[secret]");
  expect(text).not.toContain("not-a-token-to-be-shown");
  for (const secret of target.secrets) expect(text).not.toContain(secret);
});

describe.concurrent("scripts/workflows.ts", () => {
  it("runs against a server what it knows enough for, and names what it skips", async () => {
    const { target, close } = await openTarget({}, undefined, false);
    const { clientKey = "", email = "", password = "" } = target;
    const environment = {
      BAANX_CLIENT_KEY: clientKey,
      BAANX_TEST_EMAIL: email,
      BAANX_TEST_PASSWORD: password,
    };
    const ran = await runScript("workflows", ["--server", target.baseUrl], environment).finally(close);
    expect(ran.out).toContain("Workflows: 1 passed, 1 total");
    expect(ran.err).toContain(
      "workflows: authorization was skipped: it wants BAANX_CLIENT_KEY, and in BAANX_",
    );
    expect(ran.code).toBe(0);
  });

  it("fails where nothing could run, and refuses production", async () => {
    const [nothing, production] = await Promise.all([
      runScript("workflows", ["--server", "http://127.0.0.1:1"]),
      runScript("workflows", ["--server", "https://api.baanx.com"]),
    ]);
    expect(nothing).toMatchObject({ code: 1, out: "" });
    expect(production).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("--allow-production"),
    });
  });
});
