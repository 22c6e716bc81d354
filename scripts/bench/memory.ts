/** The heap before and after many data calls on one session, each time after a collection. */
import { ours } from "./contenders.ts";
import { rounded } from "./race.ts";
import { report } from "./table.ts";

const CALLS = 100_000;

const { createSession } = await ours();
const headers = { "content-type": "application/json" };
const fetch = async () => new Response('{"id":"3f2b8a4e"}', { headers });
const session = createSession({ baseUrl: "https://dev.api.baanx.com", clientKey: "a-client-key", fetch });
await session.start({ accessToken: "an-access-token", grant: "login" });

const rows = [
  await growth("session.client", () => session.client.GET("/v1/user")),
  await growth("session.fetch", async () =>
    (await session.fetch("https://dev.api.baanx.com/v1/user")).json(),
  ),
];
report({
  title: `Memory over ${CALLS.toLocaleString("en")} data calls on one session`,
  note: "In process. kB of the heap after a collection.",
  rows,
  targets: rows.map(({ name, growth }) => ({
    what: `${name}: growth in kB`,
    measured: Number(growth),
    limit: 500,
  })),
});

async function growth(name: string, call: () => Promise<unknown>) {
  // What the first calls leave behind is compiled code and caches.
  await make(5_000, call);
  const before = await heap();
  await make(CALLS, call);
  const after = await heap();
  return { name, before: rounded(before), after: rounded(after), growth: rounded(after - before) };
}

async function make(calls: number, call: () => Promise<unknown>) {
  for (let made = 0; made < calls; made++) {
    await call();
    // As a real answer would: finalizers do not run between promises alone.
    if (made % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function heap(): Promise<number> {
  // Finalizers run between collections.
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed / 1_000;
}
