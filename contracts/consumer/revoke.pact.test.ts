/** What the consumer makes of the answers to `DELETE /v1/auth/oauth/revoke`. */
import { expect, it } from "vitest";
import { interactions } from "./interactions.ts";
import { record } from "./session.ts";

it("the end of an OAuth session is a revocation, and leaves nothing to be done once confirmed", () =>
  record(interactions.revoke, "oauth", async (session) => {
    expect(await session.end()).toEqual({ endpoint: "revoke", server: "confirmed", local: "cleared" });
    expect(session.pending).toBe(0);
  }));

it("a second revocation is not taken for confirmed: its 401 says nothing of a refresh token", () =>
  record(interactions.revokeAgain, "oauth", async (session) => {
    expect(await session.end()).toMatchObject({
      endpoint: "revoke",
      server: "unconfirmed",
      error: { code: "unauthorized", status: 401 },
    });
  }));
