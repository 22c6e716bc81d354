/** The sandbox in a separate process: mints a list of tokens when its parent asks, and replies with its address. */
import { writeFileSync } from "node:fs";
import { startSandbox } from "../../src/sandbox/index.ts";

const sandbox = await startSandbox();

process.on("message", ({ count, file, endpoint }: { count: number; file: string; endpoint: string }) => {
  const mint = () =>
    endpoint === "revoke" ? sandbox.authorize(sandbox.addUser().id) : sandbox.login(sandbox.user.id);
  const lines = Array.from({ length: count }, () => JSON.stringify({ accessToken: mint().accessToken }));
  writeFileSync(file, `${lines.join("\n")}\n`);
  // The record of requests is for tests and would only use memory here.
  sandbox.requests.length = 0;
  process.send?.({ url: sandbox.url, clientKey: sandbox.clientKey });
});
