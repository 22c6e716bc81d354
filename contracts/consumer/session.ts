/** The real session, signed in at a mock with the examples of the interaction. */
import { inject } from "vitest";
import { createSession, type Grant, type Session } from "../../src/index.ts";
import type { Interaction } from "./interactions.ts";
import { type Mock, withMock } from "./mock.ts";

/** Records an interaction with a session of the given grant. Without retries, the mock sees one request. */
export function record(
  interaction: Interaction,
  grant: Grant,
  test: (session: Session, mock: Mock) => Promise<void>,
): Promise<void> {
  return withMock(inject("pacts"), interaction, async (mock) => {
    const { baseUrl, clientKey, accessToken, region } = mock;
    const session = createSession({ baseUrl, clientKey, region, retries: 0 });
    await session.start({ accessToken, grant });
    await test(session, mock);
  });
}
