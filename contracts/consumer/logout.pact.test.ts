/** How the consumer interprets the answers to `POST /v1/auth/logout`. */
import { expect, it } from "vitest";
import { interactions } from "./interactions.ts";
import { record } from "./session.ts";

it("leaves nothing pending after a confirmed logout", () =>
  record(interactions.logout, "login", async (session) => {
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
    expect(session.pending).toBe(0);
  }));

it("sends a logout in the US region to the back end that knows the token", () =>
  record(interactions.logoutInTheUs, "login", async (session) => {
    expect(await session.logout()).toEqual({ endpoint: "logout", server: "confirmed", local: "cleared" });
  }));

it("treats the logout of an ended session as done", () =>
  record(interactions.logoutAgain, "login", async (session) => {
    expect(await session.logout()).toEqual({
      endpoint: "logout",
      server: "already-invalid",
      local: "cleared",
    });
    expect(session.pending).toBe(0);
  }));

it("keeps a logout with an unregistered client key pending", () =>
  record(interactions.logoutWithUnregisteredKey, "login", async (session) => {
    expect(await session.logout()).toMatchObject({
      server: "unconfirmed",
      local: "pending",
      error: { code: "client-key-invalid", status: 498 },
    });
    expect(session.pending).toBe(1);
  }));
