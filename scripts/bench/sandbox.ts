/** The sandbox in a process of its own: mints the tokens of a list when its parent asks, and says where they are. */
import { writeFileSync } from "node:fs";
import { startSandbox } from "../../src/sandbox/index.ts";

const sandbox = await startSandbox();

process.on("message", ({ count, file, endpoint }: { count: number; file: string; endpoint: string }) => {
  const mint = () =>
    endpoint === "revoke" ? sandbox.authorize(sandbox.addUser().id) : sandbox.login(sandbox.user.id);
  const lines = Array.from({ length: count }, () => JSON.stringify({ accessToken: mint().accessToken }));
  writeFileSync(file, `${lines.join("\n")}\n`);
  // Recorded for tests, which this is none of.
  sandbox.requests.length = 0;
  process.send?.({ url: sandbox.url, clientKey: sandbox.clientKey });
});
