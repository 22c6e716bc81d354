/** What the consumer makes of the answers to `POST /v1/auth/logout`. */
import { expect, it } from "vitest";
import { interactions } from "./interactions.ts";
import { record } from "./session.ts";

it("a logout that the server confirms leaves nothing to be done", () =>
  record(interactions.logout, "login", async (session) => {
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
    expect(session.pending).toBe(0);
  }));

it("a logout in the US region is sent to the back end that knows the token", () =>
  record(interactions.logoutInTheUs, "login", async (session) => {
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
  }));

it("a logout of a session that was logged out already is as good as a logout", () =>
  record(interactions.logoutAgain, "login", async (session) => {
    expect(await session.logout()).toEqual({
      endpoint: "logout",
      server: "already-invalid",
      local: "cleared",
    });
    expect(session.pending).toBe(0);
  }));

it("a logout with a client key that is not registered stays to be done", () =>
  record(interactions.logoutWithUnregisteredKey, "login", async (session) => {
    expect(await session.logout()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      error: { code: "client-key-invalid", status: 498 },
    });
    expect(session.pending).toBe(1);
  }));
