/** The mock requires the right credentials: otherwise the contract would pass a client that sends wrong ones. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSession, type SessionOptions } from "../../src/index.ts";
import { type Interaction, interactions } from "./interactions.ts";
import { withMock } from "./mock.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baanx-session-mock-"));
});

afterEach(() => rm(dir, { recursive: true }));

/** A client that sends another value for one header. */
const sending =
  (name: string, value: (right: string) => string | null): typeof fetch =>
  (input, init) => {
    const headers = new Headers(init?.headers);
    const wrong = value(headers.get(name) ?? "");
    if (wrong === null) headers.delete(name);
    else headers.set(name, wrong);
    return fetch(input, { ...init, headers });
  };

const clientsOf = ({ region }: Interaction) => [
  { client: "another token", fetch: sending("authorization", () => "Bearer another-token") },
  { client: "a longer token", fetch: sending("authorization", (right) => `${right}s`) },
  { client: "no Bearer", fetch: sending("authorization", (right) => right.replace("Bearer ", "")) },
  { client: "another scheme", fetch: sending("authorization", (right) => right.replace("Bearer", "Basic")) },
  { client: "no token", fetch: sending("authorization", () => null) },
  { client: "another client key", fetch: sending("x-client-key", () => "another-client-key") },
  { client: "a client key that begins alike", fetch: sending("x-client-key", (right) => `${right}s`) },
  { client: "no client key", fetch: sending("x-client-key", () => null) },
  ...(region === "us"
    ? [
        { client: "no region", fetch: sending("x-us-env", () => null) },
        { client: "another region", fetch: sending("x-us-env", () => "false") },
      ]
    : []),
];

describe.each(Object.values<Interaction>(interactions))("the mock of $description", (interaction) => {
  it.each(clientsOf(interaction))("refuses $client, and records nothing", async ({ fetch }) => {
    await expect(call(interaction, { fetch })).rejects.toThrow(
      /header .(authorization|x-client-key|x-us-env)/,
    );
    expect(await readdir(dir)).toEqual([]);
  });

  it("accepts the right credentials, and records", async () => {
    await call(interaction, {});
    expect(await readdir(dir)).toEqual(["baanx-session-baanx-auth-api.json"]);
  });
});

/** Sends the request of an interaction through a session, optionally with a fault in its fetch. */
function call(interaction: Interaction, options: Pick<SessionOptions, "fetch">): Promise<void> {
  return withMock(dir, interaction, async ({ baseUrl, clientKey, accessToken, region }) => {
    const session = createSession({ baseUrl, clientKey, region, retries: 0, ...options });
    await session.start({ accessToken, grant: "login" });
    const { method, path } = interaction;
    if (path.endsWith("/logout")) await session.logout();
    else if (path.endsWith("/revoke")) await session.revoke();
    else await session.fetch(baseUrl + path, { method });
  });
}
