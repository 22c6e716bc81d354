/** Steps about a revocation: its effects, their time, and its limits. They use up one authorization. */
import { type Answer, Unreachable } from "../api.ts";
import type { Authorizations, Tokens } from "./authorizations.ts";
import {
  assumed,
  type Context,
  documented,
  expectMessage,
  expectStatus,
  expectSuccess,
  later,
  type Step,
} from "./step.ts";

export function revocationSteps({ api, pause }: Context, authorizations: Authorizations): Step[] {
  const login = later<{ accessToken: string; userId: unknown }>("a login session beside the authorization");
  const chosen = later<{ tokens: Tokens; isOwn: boolean; siblings: Tokens[]; others: Tokens[] }>(
    "an authorization that is accepted",
  );
  const answered = later<Answer>("the answer to the revocation");
  const revoked = later<Tokens>("an authorization that was revoked");

  /** The authorizations that earlier steps have left alive. */
  async function alive(candidates: Tokens[]): Promise<Tokens[]> {
    const answers = await Promise.all(candidates.map(([token]) => api.user(token)));
    return candidates.filter((_, index) => answers[index]?.status === 200);
  }

  async function expectRefused(tokens: Tokens): Promise<Answer[]> {
    const answers = await Promise.all(tokens.map((token) => api.user(token)));
    for (const answer of answers) expectStatus(answer, 401);
    return answers;
  }

  return [
    documented("every access token of an authorization is accepted", async () => {
      const session = await api.logIn();
      const own = await alive(authorizations.ofUser(session.userId));
      const others = await alive(authorizations.ofOthers(session.userId));
      // The authorization with the most tokens proves the most.
      const [tokens, ...siblings] = [...(own.length > 0 ? own : others)].sort((a, b) => b.length - a.length);
      if (!tokens) throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks an accepted authorization");
      for (const token of tokens) expectStatus(await api.user(token), 200);
      login.set(session);
      chosen.set({ tokens, isOwn: own.length > 0, siblings, others: own.length > 0 ? others : siblings });
    }),
    documented("a revocation answers 200", async () => {
      const { tokens } = chosen.get();
      const answer = await api.revoke(tokens[0]);
      expectStatus(answer, 200);
      answered.set(answer);
      revoked.set(tokens);
    }),
    documented('the body of the revocation is {"success": true}, as JSON', async () =>
      expectSuccess(answered.get()),
    ),
    documented("every access token of the authorization is refused with 401 at once", async () => {
      for (const answer of await expectRefused(revoked.get())) expectMessage(answer);
    }),
    documented("every access token of the authorization is refused with 401 a moment later", async () => {
      const tokens = revoked.get();
      await pause();
      await expectRefused(tokens);
    }),
    documented("a revocation does not log the user out", async () => {
      revoked.get();
      if (!chosen.get().isOwn)
        throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks an authorization of the user who logs in");
      expectStatus(await api.user(login.get().accessToken), 200);
    }),
    assumed("a revocation ends the other authorizations of the user", async () => {
      revoked.get();
      const { isOwn, siblings } = chosen.get();
      if (!isOwn || siblings.length === 0)
        throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks a second authorization of the user");
      for (const tokens of siblings) await expectRefused(tokens);
    }),
    assumed("a revocation leaves the authorizations of other users alone", async () => {
      revoked.get();
      const { isOwn, others } = chosen.get();
      const [other] = isOwn ? others : [];
      if (!other) throw new Unreachable("BAANX_TEST_OAUTH_TOKENS lacks an authorization of another user");
      expectStatus(await api.user(other[0]), 200);
    }),
    assumed("a second revocation answers 401", async () => {
      const answer = await api.revoke(revoked.get()[0]);
      expectStatus(answer, 401);
      expectMessage(answer);
    }),
  ];
}
