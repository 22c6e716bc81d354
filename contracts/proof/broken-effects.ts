/** Providers with the right answer and a wrong effect: which tokens end, when, and for how long. */
import { also, type Breakage, endAll, faulty, isCall, json, tokenOf, type Workings } from "./breakage.ts";

const half = 500;
const success = () => json({ success: true });

/** Checks that the request would end something. A provider that only pretends to end must still refuse bad requests. */
const wouldEnd = (request: Request, { provider }: Workings): boolean =>
  request.headers.get("x-client-key") === provider.clientKey && provider.isAlive(tokenOf(request));

/** The sandbox, but the endings of one endpoint take effect half a second late. */
function late(endpoint: "logout" | "revoke", name: string): Breakage {
  return {
    name,
    behave(workings) {
      const { pass, now } = workings;
      const due: { at: number; request: Request }[] = [];
      return async (request) => {
        while (due[0] && due[0].at <= now()) {
          const ending = due.shift();
          if (ending) await pass(ending.request);
        }
        if (!isCall(request, endpoint) || !wouldEnd(request, workings)) return pass(request);
        due.push({ at: now() + half, request });
        return success();
      };
    },
  };
}

/** The sandbox, but it accepts dead tokens while `isBack` returns true. */
function back(
  name: string,
  isBack: (workings: Workings, endedAt: number, logins: number) => boolean,
): Breakage {
  return {
    name,
    behave(workings) {
      const ended = new Map<string, { at: number; logins: number }>();
      return async (request) => {
        const { pass, now, provider, logins } = workings;
        const token = tokenOf(request);
        const isEnding = isCall(request, "logout") || isCall(request, "revoke");
        if (isEnding && wouldEnd(request, workings)) ended.set(token, { at: now(), logins: logins.length });
        const end = ended.get(token);
        if (!end || !isCall(request, "user") || !isBack(workings, end.at, end.logins)) return pass(request);
        return json({ id: provider.user.id, verificationState: "VERIFIED" });
      };
    },
  };
}

/** Answers that the session has ended, and does not end it. */
const idle = (endpoint: "logout" | "revoke", name: string) =>
  faulty(endpoint, name, async (request, workings) =>
    wouldEnd(request, workings) ? success() : workings.pass(request),
  );

const registered = (request: Request, { provider }: Workings): Request => {
  const headers = new Headers(request.headers);
  headers.set("x-client-key", provider.clientKey);
  return new Request(request, { headers });
};

/** Accepts requests without the right client key. */
const lax = (name: string, isTaken: (request: Request) => boolean): Breakage => ({
  name,
  behave: (workings) => (request) =>
    workings.pass(isTaken(request) ? registered(request, workings) : request),
});

export const brokenEffects: Breakage[] = [
  idle("logout", "a logout leaves the token alive"),
  late("logout", "a token dies only a while after its logout"),
  back("a token comes back a while after its end", ({ now }, endedAt) => now() >= endedAt + half),
  back("a token comes back with the next login", ({ logins }, _, before) => logins.length > before),
  also("logout", "a logout ends all sessions of the user", (workings) =>
    endAll(workings, "POST", workings.logins),
  ),
  also("logout", "a logout ends the authorizations of another user", (workings) =>
    endAll(workings, "DELETE", workings.authorizations[1] ?? []),
  ),

  idle("revoke", "a revocation leaves the access tokens alive"),
  late("revoke", "the tokens of an authorization die only a while after the revocation"),
  faulty("revoke", "a revocation ends only its own access token", async (request, workings) => {
    if (!wouldEnd(request, workings)) return workings.pass(request);
    await workings.end("POST", tokenOf(request));
    return success();
  }),
  faulty("revoke", "a revocation ends the other access tokens alone", async (request, workings) => {
    if (!wouldEnd(request, workings)) return workings.pass(request);
    const token = tokenOf(request);
    const own = workings.authorizations.find((tokens) => tokens.includes(token)) ?? [];
    const others = own.filter((other) => other !== token);
    await endAll(workings, "POST", others);
    return success();
  }),
  also("revoke", "a revocation logs the user out", (workings) => endAll(workings, "POST", workings.logins)),

  faulty("login", "a login after a logout is refused", async (request, { pass, logins, provider }) =>
    logins.every((token) => provider.isAlive(token)) ? pass(request) : json({ message: "Try later" }, 403),
  ),
  faulty("login", "a login answers without an access token", async () =>
    json({ isOtpRequired: false, phase: null }),
  ),
  faulty("user", "every access token is accepted", async (request, { pass, provider }) => {
    const response = await pass(request);
    const isAccepted = response.status === 401 && tokenOf(request) !== "";
    return isAccepted ? json({ id: provider.user.id }) : response;
  }),

  lax("any client key is accepted", ({ headers }) => headers.has("x-client-key")),
  lax("a missing client key is accepted", ({ headers }) => !headers.has("x-client-key")),
  lax("a logout is accepted with any client key", (request) => isCall(request, "logout")),
  faulty("user", "no client key is accepted", async () =>
    json({ error: "Invalid client key", details: [] }, 498),
  ),
];
