/** The tokens that an application hands over, by `start()` or `renew`: checked, and as a record keeps them. */

import { check, invalid, type NewSession, type SessionTokens } from "./options.ts";
import type { LiveRecord, RecordTokens, Region } from "./record.ts";
import { jsonOf } from "./unknown.ts";

/**
 * As a record keeps them.
 *
 * @throws SessionError `invalid-option`, naming the token
 */
export function checkTokens(given: SessionTokens): RecordTokens {
  const { accessToken, refreshToken, userId, expiresIn } = given;
  check({
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(userId !== undefined && { userId }),
  });
  if (expiresIn !== undefined && !(expiresIn > 0 && Number.isFinite(expiresIn)))
    throw invalid("expiresIn", "seconds, above 0");
  const expiresAt = expiresIn === undefined ? undefined : Date.now() + expiresIn * 1_000;
  return { accessToken, refreshToken, expiresAt };
}

/**
 * The record of a new session.
 *
 * @param usual - the region of a session that names none
 * @param startedAt - in ms since the epoch
 * @throws SessionError `invalid-option`
 */
export function createRecord(
  { grant, region, ...given }: NewSession,
  origin: string,
  usual: Region,
  startedAt: number,
): LiveRecord {
  check({ grant, region: region ?? usual });
  return {
    v: 1,
    id: createId(),
    origin,
    region: region ?? usual,
    grant,
    userId: given.userId,
    startedAt,
    generation: 0,
    tokens: checkTokens(given),
  };
}

/** The record of tokens that other code has kept, where they are a session at all. */
export function adopted(text: string, origin: string, region: Region): LiveRecord | undefined {
  const { accessToken, refreshToken, userId } = jsonOf(text);
  try {
    // Only an authorization has a refresh token. When it began is not known: before all others.
    const given = { accessToken, refreshToken, userId, grant: refreshToken ? "oauth" : "login" };
    return createRecord(given as NewSession, origin, region, 0);
  } catch {
    return undefined;
  }
}

/** Unique, not secret; crypto.randomUUID is missing in React Native and on plain http. */
const createId = (): string => `${Date.now()}-${Math.random()}`;
