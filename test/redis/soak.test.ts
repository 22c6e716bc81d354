/**
 * A soak: two processes share sessions over Redis, and of their calls to the store, and of their endings, 30 % fail. Every
 * result is compared with the sandbox's own records, and in the end nothing is alive that no process can end.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { createSandboxApp, type Fault, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { startServer } from "../../src/sandbox/server.ts";
import { LOGOUT, REVOKE } from "../support.ts";
import { describeRedis, startRedis } from "./processes.ts";
import { randomOf, type SoakReport, type SoakSettings, type SoakTokens } from "./soak-process.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 30);
const SEED = Number(process.env["SOAK_SEED"] ?? 20_261_128);
const FAILING = 0.3;
/** Each of these comes about five times at least. */
const REACHED = [
  "confirmed/cleared",
  "confirmed/failed",
  "already-invalid/cleared",
  "unconfirmed/pending",
  "unconfirmed/cleared",
  "unconfirmed/failed",
];

const faults: Fault[] = [
  { drop: true, handled: true },
  { drop: true },
  { status: 503 },
  { status: 503, handled: true },
  { status: 403 },
  { status: 429 },
  { delay: 1_500 },
  { truncate: 3 },
  { status: 200, body: "<html>" },
];

type Report<T extends SoakReport["type"]> = Extract<SoakReport, { type: T }>;

/** The known facts about one token. */
interface Known {
  name: string;
  refreshToken: string | undefined;
}

function createTruth(provider: SandboxApp) {
  const tokens = new Map<string, Known>();
  const lies: string[] = [];
  /** Also those to data calls, whose 401 is an answer to an ending, too. */
  const answers = (token: string) =>
    provider.requests
      .filter(({ authorization }) => authorization === `Bearer ${token}`)
      .flatMap(({ status, path }) => (path === "/v1/user" && status === 200 ? [] : [status]));

  /** Returns why a result is not true of a token that it may be about; undefined if it is. */
  function untruth(token: string, { server, refreshToken }: Report<"end">["result"]): string | undefined {
    if (server !== "confirmed" && server !== "already-invalid") return undefined;
    // One call may end several sessions of the user, each by an answer of its own.
    if (!answers(token).some((status) => status === 200 || status === 401)) return "the server never said so";
    if (provider.isAlive(token)) return "it is alive";
    const left = tokens.get(token)?.refreshToken;
    return left && !refreshToken && provider.isAlive(left) ? "its refresh token is alive" : undefined;
  }

  return {
    tokens,
    lies,
    start({ result, isStored, token }: Report<"start">): void {
      if (result.local === "stored" && !isStored)
        lies.push(`start() of ${token}: stored, and it is not there`);
      if ((result.local === "failed") !== (result.storeError !== undefined))
        lies.push("start(): a storeError that does not fit");
    },
    end({ name, token, result, isHeld, method, state }: Report<"end">): void {
      const { server, local, error, storeError } = result;
      const said = `${method}() of ${token ?? name}: ${server}, ${local}`;
      if ((server === "unconfirmed") !== (error !== undefined))
        lies.push(`${said}, an error that does not fit`);
      if ((local === "failed") !== (storeError !== undefined))
        lies.push(`${said}, a storeError that does not fit`);
      if (method !== "flush" && state !== "signed-out" && state !== "active") lies.push(`${said}, ${state}`);
      const own = [...tokens.keys()].filter((one) => tokens.get(one)?.name === name);
      const wanted = { confirmed: 200, "already-invalid": 401 }[server as string];
      const whys = (token ? [token] : own).map((one) => untruth(one, result));
      if (whys.length > 0 && !whys.includes(undefined)) lies.push(`${said}, but ${whys[0]}`);
      if (wanted && !own.some((one) => answers(one).includes(wanted)))
        lies.push(`${said}, and no answer was ${wanted}`);
      if (server === "no-session" && token) lies.push(`${said}, but there was a session`);
      if (local === "cleared" && isHeld) lies.push(`${said}, but the store holds its token`);
    },
  };
}

describeRedis("two processes", () => {
  it(
    `report the truth and lose no token, with seed ${SEED}`,
    async () => {
      const redis = await startRedis();
      const provider = createSandboxApp();
      const random = randomOf(SEED);
      let share = FAILING;
      let failed = 0;
      const server = await startServer({
        app: {
          fetch(request, bindings) {
            const { pathname: path } = new URL(request.url);
            const isEnding = path === LOGOUT || path === REVOKE;
            if (isEnding && random() < share) {
              failed += 1;
              provider.misbehave({ ...faults[Math.floor(random() * faults.length)], path, times: 1 });
            }
            return provider.app.fetch(request, bindings as never);
          },
        },
      });
      const names = ["keep", "discard"].flatMap((onUnconfirmed) =>
        [1, 2, 3].map((number) => ({ name: `soak:${onUnconfirmed}:${number}`, onUnconfirmed })),
      ) as SoakSettings["names"];
      const users = new Map(
        names.map(({ name }) => [name, provider.addUser({ email: `${name}@example.com` }).id]),
      );
      const truth = createTruth(provider);
      const counts: Record<string, number> = {};
      const count = (key: string, by = 1) => {
        counts[key] = (counts[key] ?? 0) + by;
      };

      /** A login of the user of that web session, or an authorization of a user of its own. */
      function mint(name: string): SoakTokens {
        if (random() < 0.7) {
          const userId = users.get(name) ?? "";
          return { ...provider.login(userId), userId, grant: "login" };
        }
        const { id } = provider.addUser({ email: `${truth.tokens.size}@example.com` });
        const { accessToken, refreshToken } = provider.authorize(id);
        return { accessToken, refreshToken, userId: id, grant: "oauth" };
      }

      const children = [1, 2].map((number) => {
        const settings: SoakSettings = {
          redisUrl: redis.url,
          baseUrl: server.url,
          clientKey: provider.clientKey,
          seed: SEED + number,
          failing: FAILING,
          names,
        };
        const child = fork("test/redis/soak-process.ts", [JSON.stringify(settings)], {
          execArgv: ["--import", "tsx"],
        });
        const done = new Promise<Report<"done">>((resolve, reject) => {
          child.on("exit", (code) => reject(new Error(`A process ended with ${code}.`)));
          child.on("message", (report: SoakReport) => {
            if (report.type === "done") resolve(report);
            if (report.type === "start") truth.start(report);
            if (report.type === "end") truth.end(report);
            if (report.type === "end") count(`${report.result.server}/${report.result.local}`);
            if (report.type !== "mint") return;
            count("starts");
            const tokens = mint(report.name);
            truth.tokens.set(tokens.accessToken, { name: report.name, refreshToken: tokens.refreshToken });
            child.send(tokens);
          });
        });
        return { child, done };
      });
      try {
        // Longer on a busy machine: until every kind of result has occurred.
        const until = Date.now() + SECONDS * 1_000;
        const isReached = () => REACHED.every((key) => (counts[key] ?? 0) >= 5);
        const played = async () => {
          while (Date.now() < until || !isReached()) await sleep(100);
        };
        await Promise.race([played(), ...children.map(({ done }) => done)]);
        share = 0;
        for (const { child } of children) child.send("heal");
        const ends = await Promise.all(children.map(({ done }) => done));
        for (const { calls, failures } of ends) {
          count("store calls", calls);
          count("store failures", failures);
        }
        console.log(`soak: seed ${SEED}, ${SECONDS} s, ${failed} endings failed on the way,`, counts);
        expect(truth.lies).toEqual([]);
        expect(ends.map(({ pending }) => pending)).toEqual([0, 0]);
        const problems: string[] = [];
        for (const { name, onUnconfirmed } of names) {
          const held = JSON.stringify(await redis.client.hGetAll(name));
          const own = [...truth.tokens].filter(([, known]) => known.name === name).map(([token]) => token);
          const alive = own.filter(provider.isAlive);
          const stored = own.filter((token) => held.includes(token));
          for (const token of stored)
            if (!alive.includes(token)) problems.push(`${name} stores ${token}, which has ended`);
          if (stored.length > 1) problems.push(`${name} stores ${stored.length} tokens`);
          if (onUnconfirmed === "keep")
            for (const token of alive)
              if (!stored.includes(token))
                problems.push(`${token} of ${name} is alive and no process can end it`);
        }
        expect(problems).toEqual([]);
      } finally {
        for (const { child } of children) {
          child.removeAllListeners();
          child.disconnect();
          child.kill();
          if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        }
        await server.close();
        await redis.stop();
      }
    },
    SECONDS * 1_000 + 300_000,
  );
});
