/** Steps about the credentials of a request: the client key, and the access token in its header. */
import { unregisteredClientKey } from "../api.ts";
import {
  assumed,
  type Context,
  documented,
  expectJson,
  expectMessage,
  expectRefusal,
  expectStatus,
  later,
  observed,
  probing,
  type Step,
} from "./step.ts";

export function credentialSteps({ api, target }: Context): Step[] {
  const token = later<string>("a session");

  return [
    documented("a session for the steps that follow is accepted", async () => {
      const { accessToken } = await api.logIn();
      expectStatus(await api.user(accessToken), 200);
      token.set(accessToken);
    }),
    documented("a read of the user without a client key is refused", async () =>
      expectRefusal(await api.user(token.get(), { clientKey: null })),
    ),
    documented("a read of the user with a wrong client key is refused", async () =>
      expectRefusal(await api.user(token.get(), { clientKey: unregisteredClientKey })),
    ),
    observed("a missing client key is answered with 499, as JSON", async () => {
      const answer = await api.user(token.get(), { clientKey: null });
      expectStatus(answer, 499);
      expectJson(answer);
    }),
    observed("a wrong client key is answered with 498, as JSON", async () => {
      const answer = await api.user(token.get(), { clientKey: unregisteredClientKey });
      expectStatus(answer, 498);
      expectJson(answer);
    }),
    documented("a logout without a client key is refused", async () =>
      expectRefusal(await api.logout(token.get(), { clientKey: null })),
    ),
    documented("a logout with a wrong client key is refused", async () =>
      expectRefusal(await api.logout(token.get(), { clientKey: unregisteredClientKey })),
    ),
    assumed("a logout that was refused for its client key ends nothing", async () =>
      expectStatus(await api.user(token.get()), 200),
    ),
    documented("a read of the user without an access token answers 401, with a message as JSON", async () => {
      api.requireKey();
      const answer = await api.call({ method: "GET", path: "/v1/user" });
      expectStatus(answer, 401);
      expectMessage(answer);
    }),
    assumed("a logout without an access token answers 401", async () => {
      api.requireKey();
      expectStatus(await api.call({ method: "POST", path: "/v1/auth/logout" }), 401);
    }),
    assumed("an access token without Bearer is refused", async () => {
      const headers = { authorization: token.get() };
      expectRefusal(await api.call({ method: "GET", path: "/v1/user", headers }));
    }),
    probing(
      documented("an access token in the query string is not accepted", async () => {
        const query = `access_token=${encodeURIComponent(token.get())}`;
        expectRefusal(await api.call({ method: "GET", path: `/v1/user?${query}` }));
      }),
    ),
    // GET is safe (RFC 9110, section 9.2.1), so a prefetch cannot end a session.
    probing(
      assumed("GET on logout ends nothing", async () => {
        await api.call({ method: "GET", path: "/v1/auth/logout", token: token.get() });
        expectStatus(await api.user(token.get()), 200);
      }),
    ),
    probing(
      assumed("a login with a wrong password is refused", async () => {
        token.get();
        const body = { email: target.email, password: "not-the-password-of-anybody" };
        expectRefusal(await api.call({ method: "POST", path: "/v1/auth/login", body }));
      }),
    ),
    documented("the session of these steps is ended", async () =>
      expectStatus(await api.logout(token.get()), 200),
    ),
  ];
}
