/** The tests of every store that back-end processes share. */
import { expect, it } from "vitest";
import type { TokenStore } from "../src/index.ts";
import { endings, LOGOUT, recordsIn, setup } from "./support.ts";

/**
 * @param open - returns a new store over the records with this name
 * @param isAtomic - whether two processes may write one key at the same time
 */
export function behavesAsStore(open: (name: string) => TokenStore, isAtomic = true): void {
  it("stores strings under keys, separately for each name", async () => {
    const [one, same, other] = [open("one"), open("one"), open("other")];
    expect(await one.read()).toEqual({});
    await one.write("session.1-0.5", '{"v":1,"id":"1-0.5","n":[0.1,"é","\\"",null]}');
    await one.write("ended.1-0.5", "no JSON");
    await one.write("ended.1-0.5", '{"v":1}');
    await other.write("session.1-0.5", "{}");
    expect(await same.read()).toEqual({
      "session.1-0.5": '{"v":1,"id":"1-0.5","n":[0.1,"é","\\"",null]}',
      "ended.1-0.5": '{"v":1}',
    });
    await same.remove("session.1-0.5");
    await same.remove("session.missing");
    expect(Object.keys(await one.read())).toEqual(["ended.1-0.5"]);
    expect(await other.read()).toEqual({ "session.1-0.5": "{}" });
  });

  it("shares a session with another process, and keeps no token after its end", async () => {
    const { provider, session, startLogin } = setup({ store: open("shared") });
    const { accessToken } = await startLogin();
    const other = setup({ store: open("shared") }, provider).session;
    await other.ready();
    expect(other.state).toBe("active");
    expect(await other.logout()).toMatchObject({ server: "confirmed", local: "cleared" });
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(JSON.stringify(await open("shared").read())).not.toContain(accessToken);
    await session.flush();
    expect(session.state).toBe("signed-out");
    expect(endings(provider)).toEqual([LOGOUT]);
  });

  it("lets another process end a session whose ending was not confirmed", async () => {
    const { provider, session, startLogin } = setup({ store: open("left"), retries: 0 });
    const { accessToken } = await startLogin();
    provider.misbehave({ status: 503, times: 1 });
    expect(await session.logout()).toMatchObject({ server: "unconfirmed", local: "pending" });
    const other = setup({ store: open("left") }, provider).session;
    expect(await other.flush()).toMatchObject([{ server: "confirmed", local: "cleared" }]);
    expect(provider.isAlive(accessToken)).toBe(false);
    expect(await recordsIn(open("left"))).toMatchObject({ live: [], pending: [] });
  });

  if (!isAtomic) return;
  it("reports no false failure to two processes that end the same session at once", async () => {
    const { provider, startLogin } = setup({ store: open("both") });
    const { accessToken } = await startLogin();
    const both = [0, 1].map(() => setup({ store: open("both") }, provider).session);
    const ends = await Promise.all(both.map((one) => one.end()));
    // A process that sees another's lease leaves the ending to it.
    for (const { server, error } of ends)
      expect(server === "unconfirmed" ? error?.code : server).toMatch(
        /^(confirmed|already-invalid|no-session|elsewhere)$/,
      );
    expect(provider.isAlive(accessToken)).toBe(false);
    await Promise.all(both.map((one) => one.flush()));
    expect(await recordsIn(open("both"))).toMatchObject({ live: [], pending: [] });
  });
}
