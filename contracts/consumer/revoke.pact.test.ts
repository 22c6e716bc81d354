/** How the consumer interprets the answers to `DELETE /v1/auth/oauth/revoke`. */
import { expect, it } from "vitest";
import { interactions } from "./interactions.ts";
import { record } from "./session.ts";

it("ends an OAuth session by a revocation, and leaves nothing pending after it is confirmed", () =>
  record(interactions.revoke, "oauth", async (session) => {
    expect(await session.end()).toEqual({ endpoint: "revoke", server: "confirmed", local: "cleared" });
    expect(session.pending).toBe(0);
  }));

it("does not treat a second revocation as confirmed: its 401 does not cover a refresh token", () =>
  record(interactions.revokeAgain, "oauth", async (session) => {
    expect(await session.end()).toMatchObject({
      endpoint: "revoke",
      server: "unconfirmed",
      error: { code: "unauthorized", status: 401 },
    });
  }));
