/** Memory: what a session keeps does not grow with what it has done. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { createSession } from "../src/index.ts";
import { BASE_URL } from "./support.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes that are still held once nothing is under way. */
async function held(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    // Finalizers, on which fetch's own listeners depend, run between tasks.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

const start = () =>
  createSession({
    baseUrl: BASE_URL,
    clientKey: "demo-client-key",
    fetch: async () => Response.json({ success: true, id: "user" }),
  });

/** Growth between the first and the last tenth, in bytes a turn. */
async function growth(turns: number, turn: () => Promise<unknown>): Promise<number> {
  for (let index = 0; index < turns / 10; index++) await turn();
  const before = await held();
  for (let index = turns / 10; index < turns; index++) await turn();
  return ((await held()) - before) / turns;
}

it("stays flat over 30,000 data calls on one session", { timeout: 300_000 }, async () => {
  const session = start();
  await session.start({ accessToken: "example-access-token", grant: "login" });
  expect(await growth(30_000, () => session.client.GET("/v1/user"))).toBeLessThan(10);
});

it("stays flat over 5,000 sessions, started and ended", { timeout: 60_000 }, async () => {
  const session = start();
  const turn = async () => {
    await session.start({ accessToken: `example-access-token-${Math.random()}`, grant: "login" });
    await session.logout();
  };
  expect(await growth(5_000, turn)).toBeLessThan(200);
});
