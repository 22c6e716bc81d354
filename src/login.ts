/** When a login has begun a session: the one place that knows how an answer says that it has not. */
import type { components } from "./generated/schema.ts";
import type { NewSession } from "./options.ts";
import { tokenProblem } from "./token-rule.ts";

/**
 * What a login that is complete gives to `start()`. `POST /v1/auth/login` answers 200 also when a one-time password
 * (`isOtpRequired`) or a step of the registration (`phase`) is missing, and may carry an access token all the same, which
 * is not valid yet.
 *
 * ```ts
 * const { data } = await bindings.POST("/v1/auth/login", { body: { email, password } });
 * const login = completedLogin(data);
 * if (login) await session.start(login);
 * ```
 *
 * @param data - the body of a login's answer with status 200; of any other there is none
 * @returns the argument for `start()`, in the region of the session; `undefined` for a login that is not complete
 * @see https://docs.baanx.com/guides/user/authentication
 */
export function completedLogin(
  data: components["schemas"]["LoginResponse"] | null | undefined,
): NewSession | undefined {
  if (!data?.accessToken || tokenProblem(data.accessToken) || data.isOtpRequired || data.phase)
    return undefined;
  const { accessToken, userId } = data;
  return { accessToken, ...(userId && { userId }), grant: "login" };
}
