/**
 * The time and the requests of one ending on loopback, by part: the client, the transport and the session. Preparation,
 * such as creating a session, is not measured.
 */
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "../../src/generated/schema.ts";
import { oauth4webapi, ours, supabase } from "./contenders.ts";
import { startLoopback } from "./loopback.ts";
import { type Contender, race } from "./race.ts";
import { report } from "./table.ts";

const ROUNDS = 31;
const CALLS = 200;
const BARE = "fetch";

const { createBindings, createSession } = await ours();
const { url, count, close } = await startLoopback();
const clientKey = "a-client-key";
const accessToken = "an-access-token";
const headers = { "x-client-key": clientKey, authorization: `Bearer ${accessToken}` };

const contenders = [
  bareFetch(),
  client("openapi-fetch", createClient<paths>({ baseUrl: url })),
  client("createBindings", createBindings({ baseUrl: url, clientKey })),
  session("session.logout"),
  await revocation("oauth4webapi's revocation"),
  await signOut("supabase's signOut"),
];
const requests = new Map<string, number>();
for (const { name, prepare, call } of contenders) {
  await prepare?.(1);
  const before = await count();
  await call(0);
  requests.set(name, (await count()) - before);
}
const rows = await race(contenders, { rounds: ROUNDS, calls: CALLS, over: [BARE] });
report({
  title: "One ending, on loopback",
  note: "node:http in another process, one ending after the other. The processor time is the client's alone.",
  rows: rows.map((row) => ({ ...row, requests: requests.get(row.name) ?? 0 })),
  targets: [],
});
close();

function bareFetch(): Contender {
  return {
    name: BARE,
    async call() {
      const response = await fetch(`${url}/v1/auth/logout`, { method: "POST", headers });
      const { success } = await response.json();
      expect(success);
    },
  };
}

function client(name: string, client: Client<paths>): Contender {
  return {
    name,
    async call() {
      const { data } = await client.POST("/v1/auth/logout", { headers });
      expect(data?.success === true);
    },
  };
}

function session(name: string): Contender {
  let sessions: ReturnType<typeof createSession>[] = [];
  return {
    name,
    async prepare(calls) {
      sessions = Array.from({ length: calls }, () => createSession({ baseUrl: url, clientKey }));
      for (const one of sessions) await one.start({ accessToken, grant: "login" });
    },
    async call(index) {
      const end = await sessions[index]?.logout();
      expect(end?.server === "confirmed");
    },
  };
}

async function revocation(name: string): Promise<Contender> {
  const { revocationRequest, processRevocationResponse, None, allowInsecureRequests } = await oauth4webapi();
  const server = { issuer: url, revocation_endpoint: `${url}/revoke` };
  const client = { client_id: clientKey };
  return {
    name,
    async call() {
      const options = { [allowInsecureRequests]: true };
      const response = await revocationRequest(server, client, None(), accessToken, options);
      await processRevocationResponse(response);
    },
  };
}

async function signOut(name: string): Promise<Contender> {
  const { AuthClient } = await supabase();
  let clients: InstanceType<typeof AuthClient>[] = [];
  const stored = JSON.stringify({
    access_token: accessToken,
    refresh_token: "a-refresh-token",
    expires_at: Math.round(Date.now() / 1_000) + 21_600,
    expires_in: 21_600,
    token_type: "bearer",
    user: { id: "3f2b8a4e" },
  });
  return {
    name,
    async prepare(calls) {
      clients = Array.from({ length: calls }, () => {
        const items = new Map([["session", stored]]);
        return new AuthClient({
          url,
          storageKey: "session",
          storage: {
            getItem: (key: string) => items.get(key) ?? null,
            setItem: (key: string, value: string) => void items.set(key, value),
            removeItem: (key: string) => void items.delete(key),
          },
          persistSession: true,
          autoRefreshToken: false,
          detectSessionInUrl: false,
        });
      });
      // Clients read their storage at the start.
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async call(index) {
      const { error } = (await clients[index]?.signOut({ scope: "local" })) ?? {};
      expect(error === null);
    },
  };
}

function expect(hasEnded: boolean): void {
  if (!hasEnded) throw new Error("A session has not ended.");
}
