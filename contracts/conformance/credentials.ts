/** Steps about the credentials of a request: the client key, and the access token in its header. */
import { unregisteredClientKey } from "../api.ts";
import {
  type Context,
  expectJson,
  expectMessage,
  expectRefusal,
  expectStatus,
  later,
  type Step,
} from "./step.ts";

export function credentialSteps({ api, target }: Context): Step[] {
  const token = later<string>("a session");

  return [
    {
      name: "a session for the steps that follow is accepted",
      evidence: "documented",
      async run() {
        const { accessToken } = await api.logIn();
        expectStatus(await api.user(accessToken), 200);
        token.set(accessToken);
      },
    },
    {
      name: "a read of the user without a client key is refused",
      evidence: "documented",
      run: async () => expectRefusal(await api.user(token.get(), { clientKey: null })),
    },
    {
      name: "a read of the user with a wrong client key is refused",
      evidence: "documented",
      run: async () => expectRefusal(await api.user(token.get(), { clientKey: unregisteredClientKey })),
    },
    {
      name: "a missing client key is answered with 499, as JSON",
      evidence: "observed",
      async run() {
        const answer = await api.user(token.get(), { clientKey: null });
        expectStatus(answer, 499);
        expectJson(answer);
      },
    },
    {
      name: "a wrong client key is answered with 498, as JSON",
      evidence: "observed",
      async run() {
        const answer = await api.user(token.get(), { clientKey: unregisteredClientKey });
        expectStatus(answer, 498);
        expectJson(answer);
      },
    },
    {
      name: "a logout without a client key is refused",
      evidence: "documented",
      run: async () => expectRefusal(await api.logout(token.get(), { clientKey: null })),
    },
    {
      name: "a logout with a wrong client key is refused",
      evidence: "documented",
      run: async () => expectRefusal(await api.logout(token.get(), { clientKey: unregisteredClientKey })),
    },
    {
      name: "a logout that was refused for its client key ends nothing",
      evidence: "assumed",
      run: async () => expectStatus(await api.user(token.get()), 200),
    },
    {
      name: "a read of the user without an access token answers 401, with a message as JSON",
      evidence: "documented",
      async run() {
        api.requireKey();
        const answer = await api.call({ method: "GET", path: "/v1/user" });
        expectStatus(answer, 401);
        expectMessage(answer);
      },
    },
    {
      name: "a logout without an access token answers 401",
      evidence: "assumed",
      async run() {
        api.requireKey();
        expectStatus(await api.call({ method: "POST", path: "/v1/auth/logout" }), 401);
      },
    },
    {
      name: "an access token without Bearer is refused",
      evidence: "assumed",
      async run() {
        const headers = { authorization: token.get() };
        expectRefusal(await api.call({ method: "GET", path: "/v1/user", headers }));
      },
    },
    {
      name: "an access token in the query string is not accepted",
      evidence: "documented",
      isProbe: true,
      async run() {
        const query = `access_token=${encodeURIComponent(token.get())}`;
        expectRefusal(await api.call({ method: "GET", path: `/v1/user?${query}` }));
      },
    },
    {
      // GET is safe (RFC 9110, section 9.2.1), so a prefetch cannot end a session.
      name: "GET on logout ends nothing",
      evidence: "assumed",
      isProbe: true,
      async run() {
        await api.call({ method: "GET", path: "/v1/auth/logout", token: token.get() });
        expectStatus(await api.user(token.get()), 200);
      },
    },
    {
      name: "a login with a wrong password is refused",
      evidence: "assumed",
      isProbe: true,
      async run() {
        token.get();
        const body = { email: target.email, password: "not-the-password-of-anybody" };
        expectRefusal(await api.call({ method: "POST", path: "/v1/auth/login", body }));
      },
    },
    {
      name: "the session of these steps is ended",
      evidence: "documented",
      run: async () => expectStatus(await api.logout(token.get()), 200),
    },
  ];
}
