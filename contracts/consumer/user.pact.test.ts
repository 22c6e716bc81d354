/** How the consumer reads the answers to `GET /v1/user`, which show whether a token is accepted. */
import { expect, it } from "vitest";
import { probe, type Session } from "../../src/index.ts";
import { interactions } from "./interactions.ts";
import type { Mock } from "./mock.ts";
import { record } from "./session.ts";

it("reads a profile as an accepted token", () =>
  record(interactions.user, "login", async (session, mock) => {
    const { data } = await session.client.GET("/v1/user");
    expect(data).toEqual({ id: expect.any(String) });
    expect(session.state).toBe("active");
    expect(await probe(mock, mock)).toBe("active");
  }));

it("reads a profile in the US region from the back end that knows the token", () =>
  record(interactions.userInTheUs, "login", async (session, mock) => {
    const { data } = await session.client.GET("/v1/user");
    expect(data).toEqual({ id: expect.any(String) });
    expect(await probe(mock, mock)).toBe("active");
  }));

it("reads a 401 after logout as an ended session", () =>
  record(interactions.userAfterLogout, "login", isOver));

it("reads a 401 after revocation as an ended session", () =>
  record(interactions.userAfterRevocation, "oauth", isOver));

async function isOver(session: Session, mock: Mock): Promise<void> {
  const { response } = await session.client.GET("/v1/user");
  expect(response.status).toBe(401);
  expect(session.state).toBe("signed-out");
  expect(await probe(mock, mock)).toBe("invalid");
}
