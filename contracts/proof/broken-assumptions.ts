/** Providers that contradict only observed or assumed behaviour. The report must name this and not reject them. */
import { also, answering, type Breakage, endAll, isCall, json } from "./breakage.ts";

export const brokenAssumptions: Breakage[] = [
  {
    name: "all logins of the user share one access token",
    behave({ pass, provider }) {
      const shared = new Map<string | null, string>();
      return async (request) => {
        if (!isCall(request, "login")) return pass(request);
        const response = await pass(request);
        if (!response.ok) return response;
        const body: Record<string, unknown> = { ...(await response.json()) };
        const region = request.headers.get("x-us-env");
        const known = shared.get(region);
        const accessToken = known && provider.isAlive(known) ? known : String(body["accessToken"]);
        shared.set(region, accessToken);
        return json({ ...body, accessToken });
      };
    },
  },
  answering("logout", 401, "a second logout answers 200", () => json({ success: true })),
  answering("logout", 401, "a second logout answers 404", () => json({ message: "Not found" }, 404)),
  answering("logout", 498, "a wrong client key is answered with 401", () => json({ error: "Invalid" }, 401)),
  answering("user", 499, "a missing client key is answered with 400", () => json({ error: "Missing" }, 400)),
  answering("revoke", 401, "a second revocation answers 200", () => json({ success: true })),
  also("logout", "a logout ends the authorizations of the user too", (workings) =>
    endAll(workings, "DELETE", workings.authorizations[0] ?? []),
  ),
  also("revoke", "a revocation ends the authorizations of all users", (workings) =>
    endAll(workings, "DELETE", workings.authorizations.flat()),
  ),
];
