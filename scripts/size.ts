/**
 * `npm test -- size`: measures the bytes that the package adds to a web page, bundled with openapi-fetch.
 * Fails when a session is over its budget.
 */
import { resolve } from "node:path";
import { webBundle } from "./web-bundle.ts";

const ours = "./src/index.ts";
/**
 * Budgets in gzipped bytes, including openapi-fetch. The goals are 11,500 and 5,200. Until they are reached, the budgets
 * prevent growth.
 */
const rows = [
  {
    name: "createSession + webStorageStore",
    code: `export { createSession, webStorageStore } from "${ours}"`,
    budget: 18_000,
  },
  { name: "createSession", code: `export { createSession } from "${ours}"` },
  { name: "endSession", code: `export { endSession } from "${ours}"`, budget: 7_480 },
  { name: "baanx-session/redis", code: `export * from "./src/stores/redis.ts"` },
  { name: "baanx-session/postgres", code: `export * from "./src/stores/postgres.ts"` },
  { name: "baanx-session/unstorage", code: `export * from "./src/stores/unstorage.ts"` },
  { name: "baanx-session/react, without React", code: `export * from "./src/react.ts"` },
  { name: "openapi-fetch alone", code: 'export { default } from "openapi-fetch"' },
];

/** Files that must not be in any bundle: the command line, and the sandbox with its dependencies. */
const FOREIGN = /^(src\/(cli|sandbox)|contracts\/|node_modules\/(?!openapi-fetch\/))/;
let foreign = 0;

for (const { name, code, budget } of rows) {
  const size = await bytes(code);
  const isOver = budget !== undefined && size > budget;
  const limit = budget === undefined ? "" : `  ${isOver ? "✗ over" : "✓ within"} ${formatted(budget)}`;
  process.stdout.write(`${name.padEnd(36)}${formatted(size).padStart(7)} bytes gzipped${limit}\n`);
  if (isOver) process.exitCode = 1;
}
process.stdout.write(
  `${"of the command and the sandbox".padEnd(36)}${formatted(foreign).padStart(7)} bytes\n`,
);
if (foreign > 0) process.exitCode = 1;

async function bytes(contents: string): Promise<number> {
  const { size, metafile } = await webBundle(contents, resolve(import.meta.dirname, ".."));
  for (const { inputs } of Object.values(metafile.outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs))
      if (FOREIGN.test(path)) foreign += bytesInOutput;
  return size;
}

function formatted(count: number): string {
  return count.toLocaleString("en");
}
