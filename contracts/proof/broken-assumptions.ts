/** Providers that contradict no more than was observed or assumed: what is noticed and must not be rejected. */
import { answering, type Breakage, endAll, isCall, json, more } from "./breakage.ts";

export const brokenAssumptions: Breakage[] = [
  {
    name: "all logins of the user share one access token",
    behave({ pass, provider }) {
      let shared: string | undefined;
      return async (request) => {
        if (!isCall(request, "login")) return pass(request);
        const body: Record<string, unknown> = { ...(await (await pass(request)).json()) };
        if (!shared || !provider.isAlive(shared)) shared = String(body["accessToken"]);
        return json({ ...body, accessToken: shared });
      };
    },
  },
  {
    name: "the US back end knows none of its own tokens",
    behave:
      ({ pass }) =>
      async (request) =>
        request.headers.has("x-us-env") && !isCall(request, "login")
          ? json({ message: "Not authenticated" }, 401)
          : pass(request),
  },
  answering("logout", 401, "a second logout answers 200", () => json({ success: true })),
  answering("logout", 401, "a second logout answers 404", () => json({ message: "Not found" }, 404)),
  answering("logout", 498, "a wrong client key is answered with 401", () => json({ error: "Invalid" }, 401)),
  answering("user", 499, "a missing client key is answered with 400", () => json({ error: "Missing" }, 400)),
  answering("revoke", 401, "a second revocation answers 200", () => json({ success: true })),
  more("logout", "a logout ends the authorizations of the user too", (workings) =>
    endAll(workings, "DELETE", workings.authorizations[0] ?? []),
  ),
  more("revoke", "a revocation ends the authorizations of all users", (workings) =>
    endAll(workings, "DELETE", workings.authorizations.flat()),
  ),
];
