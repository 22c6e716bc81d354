/** The time of one data call with a token that reads its JSON: in process, without the cost of fetch, and on loopback. */
import createClient from "openapi-fetch";
import type { paths } from "../../src/generated/schema.ts";
import { ours } from "./contenders.ts";
import { startLoopback } from "./loopback.ts";
import { type Contender, numberIn, race } from "./race.ts";
import { report } from "./table.ts";

const credentials = { "x-client-key": "a-client-key", authorization: "Bearer an-access-token" };
const BARE = "fetch";
const MIDDLEWARE = "openapi-fetch + 1";
const OURS = "session.client";

const { createSession } = await ours();

const answer = '{"id":"3f2b8a4e","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"}';
const headers = { "content-type": "application/json" };
const { url, close } = await startLoopback();
for (const [where, note, rows] of [
  [
    "in process",
    "fetch is a function that returns a new Response at once, so that the code around it is measured.",
    await measured("https://dev.api.baanx.com", async () => new Response(answer, { headers }), 2_000),
  ],
  [
    "on loopback",
    "node:http in another process, one call after the other. The processor time is the client's alone.",
    await measured(url, (input, init) => globalThis.fetch(input, init), 500),
  ],
] as const) {
  const what = `${OURS} over openapi-fetch with one middleware, ${where}`;
  const measured = numberIn(rows, OURS, `× ${MIDDLEWARE}`);
  report({ title: `One data call, ${where}`, note, rows, targets: [{ what, measured, limit: 1 }] });
}
close();

async function measured(baseUrl: string, fetch: typeof globalThis.fetch, calls: number) {
  const address = `${baseUrl}/v1/user`;
  const plain = createClient<paths>({ baseUrl, fetch, headers: credentials });
  const withMiddleware = createClient<paths>({ baseUrl, fetch });
  withMiddleware.use({
    onRequest({ request }) {
      for (const [name, value] of Object.entries(credentials)) request.headers.set(name, value);
      return request;
    },
  });
  const session = createSession({ baseUrl, clientKey: "a-client-key", fetch });
  await session.start({ accessToken: "an-access-token", grant: "login" });
  const contenders: Contender[] = [
    { name: BARE, call: async () => (await fetch(address, { headers: credentials })).json() },
    { name: "openapi-fetch", call: () => plain.GET("/v1/user") },
    { name: MIDDLEWARE, call: () => withMiddleware.GET("/v1/user") },
    { name: "session.fetch", call: async () => (await session.fetch(address)).json() },
    { name: OURS, call: () => session.client.GET("/v1/user") },
  ];
  return race(contenders, { rounds: 21, calls, over: [BARE, MIDDLEWARE] });
}
