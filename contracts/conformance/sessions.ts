/** Steps about login sessions: the effects of a logout, their time and duration, and its limits. */
import { type Answer, Unreachable } from "../api.ts";
import type { Authorizations } from "./authorizations.ts";
import {
  assumed,
  type Context,
  documented,
  expectJson,
  expectMessage,
  expectStatus,
  expectSuccess,
  expectThat,
  later,
  type Step,
} from "./step.ts";

interface Login {
  accessToken: string;
  userId: unknown;
  answer: Answer;
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

export function sessionSteps({ api, pause }: Context, authorizations: Authorizations): Step[] {
  const session = later<Login>("a session");
  const profile = later<Answer>("the profile of the user");
  const logout = later<Answer>("the answer to the logout");
  const ended = later<string>("a session that was logged out");
  const refusal = later<Answer>("the refusal of the token");
  const next = later<Login>("the session after it");
  const pair = later<{ left: string; right: string }>("two sessions of one user");

  return [
    documented("the OAuth access tokens that were handed in are accepted", () => authorizations.read()),
    documented("a login answers with an access token and the id of the user", async () => {
      const login = await api.logIn();
      session.set(login);
      expectThat(typeof login.userId === "string", "the body lacks userId");
      expectJson(login.answer);
    }),
    documented("the access token of the login is accepted", async () => {
      const answer = await api.user(session.get().accessToken);
      expectStatus(answer, 200);
      profile.set(answer);
    }),
    documented("the profile is JSON and has the id of the user, a UUID", async () => {
      const answer = profile.get();
      expectJson(answer);
      const { id } = answer.fields;
      expectThat(typeof id === "string" && uuid.test(id), "the id is not a UUID");
      expectThat(id === session.get().userId, "the id is not the one of the login");
    }),
    documented("a logout answers 200", async () => {
      const { accessToken } = session.get();
      profile.get();
      const answer = await api.logout(accessToken);
      expectStatus(answer, 200);
      logout.set(answer);
      ended.set(accessToken);
    }),
    documented('the body of the logout is {"success": true}, as JSON', async () =>
      expectSuccess(logout.get()),
    ),
    documented("the token is refused with 401 at once", async () => {
      const answer = await api.user(ended.get());
      expectStatus(answer, 401);
      refusal.set(answer);
    }),
    documented("the token is refused with 401 a moment later", async () => {
      const token = ended.get();
      await pause();
      expectStatus(await api.user(token), 401);
    }),
    documented("the body of the refusal has a message, as JSON", async () => expectMessage(refusal.get())),
    documented("another login answers with another access token, which is accepted", async () => {
      const token = ended.get();
      const login = await api.logIn();
      expectThat(login.accessToken !== token, "the access token is the one that was logged out");
      expectStatus(await api.user(login.accessToken), 200);
      next.set(login);
    }),
    documented("the first token is refused with 401 after another login too", async () => {
      next.get();
      expectStatus(await api.user(ended.get()), 401);
    }),
    assumed("a second login of the user leaves the first alone", async () => {
      const left = next.get().accessToken;
      const right = (await api.logIn()).accessToken;
      expectThat(left !== right, "both logins have the same access token");
      expectStatus(await api.user(left), 200);
      expectStatus(await api.user(right), 200);
      pair.set({ left, right });
    }),
    // The documentation says that a logout invalidates the current access token, so other tokens stay valid.
    documented("a logout of one session leaves another session of the user alone", async () => {
      const { left, right } = pair.get();
      expectStatus(await api.logout(left), 200);
      expectStatus(await api.user(left), 401);
      expectStatus(await api.user(right), 200);
    }),
    documented("a logout leaves other users alone", async () => {
      pair.get();
      const [other] = authorizations.ofOthers(next.get().userId);
      if (!other) throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks an authorization of another user");
      expectStatus(await api.user(other[0]), 200);
    }),
    assumed("a logout leaves the OAuth authorizations of the user alone", async () => {
      pair.get();
      const [own] = authorizations.ofUser(next.get().userId);
      if (!own) throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks an authorization of the user");
      expectStatus(await api.user(own[0]), 200);
    }),
    assumed("a second logout of the same token answers 401", async () => {
      const answer = await api.logout(ended.get());
      expectStatus(answer, 401);
      expectMessage(answer);
    }),
    assumed("a second logout of the same token leaves another session of the user alone", async () =>
      expectStatus(await api.user(pair.get().right), 200),
    ),
  ];
}
