/**
 * Measures the targets of the design: size, time and complexity of the core. `results.json` includes the results.
 */
import { readdirSync, readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { resolve } from "node:path";
import { webBundle } from "../web-bundle.ts";
import { ours } from "./contenders.ts";
import { startLoopback } from "./loopback.ts";
import { numberIn, race } from "./race.ts";
import { report } from "./table.ts";

const root = resolve(import.meta.dirname, "../..");
const { createSession } = await ours();
const login = { accessToken: "an-access-token", grant: "login" } as const;

const answer = async () => Response.json({ success: true });
const inProcess = await signOuts("https://dev.api.baanx.com", answer, 500);
const { url, close } = await startLoopback();
const onLoopback = await signOuts(url, (input, init) => globalThis.fetch(input, init), 200);
close();

const { lines, variables } = sources();
const targets = [
  {
    what: "createSession + webStorageStore, bytes",
    measured: await bytesOf("createSession, webStorageStore"),
    limit: 11_500,
  },
  { what: "endSession, bytes", measured: await bytesOf("endSession"), limit: 5_200 },
  { what: "start + logout in process ÷ bare call", measured: inProcess, limit: 2.5 },
  { what: "start + logout on loopback ÷ bare POST", measured: onLoopback, limit: 1.8 },
  { what: "lines of the core", measured: lines, limit: 2_000 },
  { what: "own function calls before fetch", measured: await callsBeforeFetch(), limit: 120 },
  { what: "long-lived mutable variables per session", measured: variables, limit: 10 },
];
report({
  title: "The core",
  note: "Bytes are gzipped, openapi-fetch included. In process, fetch returns a new Response at once.",
  rows: targets.map(({ what, measured }) => ({ name: what, measured })),
  targets,
});

async function bytesOf(names: string): Promise<number> {
  return (await webBundle(`export { ${names} } from "./src/index.ts"`, root)).size;
}

/** Returns the time of a sign-in and a sign-out over that of a bare call, side by side. */
async function signOuts(baseUrl: string, fetch: typeof globalThis.fetch, calls: number): Promise<number> {
  const session = createSession({ baseUrl, clientKey: "a-client-key", fetch });
  const headers = { "x-client-key": "a-client-key", authorization: "Bearer an-access-token" };
  const bare = {
    name: "bare",
    call: async () => (await fetch(`${baseUrl}/v1/auth/logout`, { method: "POST", headers })).json(),
  };
  const own = {
    name: "session",
    async call() {
      await session.start(login);
      const { server } = await session.logout();
      if (server !== "confirmed") throw new Error(`The sign-out is ${server}.`);
    },
  };
  return numberIn(await race([bare, own], { rounds: 31, calls, over: ["bare"] }), "session", "× bare");
}

/** Counts the lines of the core, and the variables that its factories change. */
function sources() {
  const folders = ["src", "src/stores"];
  const files = folders.flatMap((folder) =>
    readdirSync(resolve(root, folder))
      .filter((file) => file.endsWith(".ts") && file !== "cli.ts")
      .map((file) => readFileSync(resolve(root, folder, file), "utf8")),
  );
  const perSession = ["ledger", "events", "sync", "state", "renewal", "requests", "endings", "session"];
  const factories = perSession.map((name) => readFileSync(resolve(root, `src/${name}.ts`), "utf8"));
  return {
    lines: files.join("").split("\n").length - 1,
    variables: factories.join("\n").match(/^ {2}let /gm)?.length ?? 0,
  };
}

/** Counts the calls of the package's own functions that one `logout()` makes before `fetch` is called. */
async function callsBeforeFetch(): Promise<number> {
  const inspector = new Session();
  inspector.connect();
  let counting: ReturnType<typeof take> | undefined;
  const take = () => inspector.post("Profiler.takePreciseCoverage");
  const fetch = () => {
    counting ??= take();
    return answer();
  };
  const session = createSession({ baseUrl: "https://dev.api.baanx.com", clientKey: "a-client-key", fetch });
  await session.start(login);
  await inspector.post("Profiler.enable");
  await inspector.post("Profiler.startPreciseCoverage", { callCount: true });
  await take();
  const ending = session.logout();
  const { result } = (await counting) ?? { result: [] };
  inspector.disconnect();
  await ending;
  const own = result.filter((script) => script.url.endsWith("/dist/index.js"));
  return own
    .flatMap(({ functions }) => functions)
    .reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
}
