/** Decides whether a login is complete: the one place that knows how an answer says that it is not. */
import type { components } from "./generated/schema.ts";
import type { NewSession } from "./options.ts";
import { tokenProblem } from "./token-rule.ts";

/**
 * Returns the argument for `start()` if a login is complete. `POST /v1/auth/login` answers 200 also if a one-time password
 * (`isOtpRequired`) or a step of the registration (`phase`) is missing, and may carry an access token that is not valid
 * yet. Some answers carry the word "null" or another value that cannot be a token.
 *
 * ```ts
 * const { data } = await bindings.POST("/v1/auth/login", { body: { email, password } });
 * const login = completedLogin(data);
 * if (login) await session.start(login);
 * ```
 *
 * @param data - the body of a login's answer with status 200
 * @returns the argument for `start()`, which accepts it; `undefined` for a login that is not complete
 * @see https://docs.baanx.com/guides/user/authentication
 */
export function completedLogin(
  data: components["schemas"]["LoginResponse"] | null | undefined,
): NewSession | undefined {
  if (!data || data.isOtpRequired || data.phase) return undefined;
  const { accessToken, userId } = data;
  if (typeof accessToken !== "string" || tokenProblem(accessToken)) return undefined;
  // The type of a body is a promise of the server: only an id that `start()` accepts is passed on.
  const hasId = typeof userId === "string" && /./.test(userId);
  return { accessToken, ...(hasId && { userId }), grant: "login" };
}
