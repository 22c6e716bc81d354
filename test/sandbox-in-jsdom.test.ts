/** The sandbox in a test environment that hides Node's classes of HTTP from modules, as Jest's jsdom does. */
import { afterEach, expect, it, vi } from "vitest";

const { Request, Response, Headers } = globalThis;

afterEach(() => vi.unstubAllGlobals());

it("imports the sandbox without Node's Request and Response, and without its server", async () => {
  for (const name of ["Request", "Response", "Headers"]) vi.stubGlobal(name, undefined);
  const { createSandbox } = await import("../src/sandbox/index.ts");
  vi.stubGlobal("Request", Request);
  vi.stubGlobal("Response", Response);
  vi.stubGlobal("Headers", Headers);
  const { fetch, clientKey, login } = createSandbox();
  const headers = { "x-client-key": clientKey, authorization: `Bearer ${login().accessToken}` };
  expect((await fetch("https://dev.api.baanx.com/v1/user", { headers })).status).toBe(200);
});
