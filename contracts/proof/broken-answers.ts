/** Providers with the right effect and a wrong answer: status, body, content type, method. */
import { answering, type Breakage, faulty, isCall, json, tokenOf } from "./breakage.ts";

const page = (status: number) =>
  new Response("<!DOCTYPE html><title>Baanx</title>", { status, headers: { "content-type": "text/html" } });
const bare = (status: number) => new Response(null, { status });
const plain = (text: string, status: number) =>
  new Response(text, { status, headers: { "content-type": "text/plain" } });
const redirect = () => new Response(null, { status: 302, headers: { location: "/login" } });

const logout = (name: string, answer: () => Response) => answering("logout", 200, `a logout ${name}`, answer);
const revoke = (name: string, answer: () => Response) =>
  answering("revoke", 200, `a revocation ${name}`, answer);
const refusal = (name: string, answer: () => Response) =>
  answering("user", 401, `a dead token is answered with ${name}`, answer);
const profile = (name: string, answer: (real: Record<string, unknown>) => Response) =>
  answering("user", 200, `the user ${name}`, answer);

export const brokenAnswers: Breakage[] = [
  logout('answers {"success": "true"}', () => json({ success: "true" })),
  logout('answers {"success": false}', () => json({ success: false })),
  logout('answers {"success": 1}', () => json({ success: 1 })),
  logout("answers without success", () => json({ status: "ok" })),
  logout("answers an array", () => json([{ success: true }])),
  logout("answers 201", () => json({ success: true }, 201)),
  logout("answers 202", () => json({ success: true }, 202)),
  logout("answers 204", () => bare(204)),
  logout("answers 200 with no body", () => bare(200)),
  logout(
    "answers broken JSON",
    () => new Response('{"success": tr', { headers: { "content-type": "application/json" } }),
  ),
  logout("answers a page", () => page(200)),
  logout("answers JSON that is called text", () => plain('{"success":true}', 200)),
  logout("redirects to the login", redirect),
  logout("answers 500 although it has ended the session", () =>
    json({ message: "Internal server error" }, 500),
  ),
  faulty("logout", "a logout is refused with 403", async () => json({ message: "Forbidden" }, 403)),
  faulty("logout", "a logout is refused with 429", async () => json({ message: "Too many requests" }, 429)),
  faulty("logout", "a logout without a body is refused with 400", async (request, { pass }) =>
    request.body ? pass(request) : json({ message: "Bad request" }, 400),
  ),
  faulty("logout", "a logout is GET instead of POST", async () => page(404)),

  revoke('answers {"success": "true"}', () => json({ success: "true" })),
  revoke('answers {"success": false}', () => json({ success: false })),
  revoke("answers 201", () => json({ success: true }, 201)),
  revoke("answers 204", () => bare(204)),
  revoke("answers 200 with no body", () => bare(200)),
  revoke("answers JSON that is called text", () => plain('{"success":true}', 200)),
  faulty("revoke", "a revocation is refused with 403", async () => json({ message: "Forbidden" }, 403)),
  {
    name: "a revocation is POST instead of DELETE",
    behave:
      ({ pass }) =>
      async (request) => {
        if (isCall(request, "revoke")) return page(404);
        const isPost = request.method === "POST" && request.url.endsWith("/v1/auth/oauth/revoke");
        return pass(isPost ? new Request(request, { method: "DELETE" }) : request);
      },
  },

  refusal("403", () => json({ message: "Not authenticated" }, 403)),
  refusal("404", () => json({ message: "Not found" }, 404)),
  refusal("400", () => json({ message: "Bad request" }, 400)),
  refusal("500", () => json({ message: "Internal server error" }, 500)),
  refusal("200 and no profile", () => json({})),
  refusal("200 and a message", () => json({ message: "Not authenticated" })),
  refusal("a redirect to the login", redirect),
  refusal("a page of status 401", () => page(401)),
  refusal("401 as plain text", () => plain("Not authenticated", 401)),
  refusal("401 and no body", () => bare(401)),
  refusal("401 and no message", () => json({ error: "unauthorized" }, 401)),

  {
    name: "the US back end knows none of its own tokens",
    behave:
      ({ pass }) =>
      async (request) =>
        request.headers.has("x-us-env") && !isCall(request, "login")
          ? json({ message: "Not authenticated" }, 401)
          : pass(request),
  },
  profile("lacks an id", ({ id: _, ...others }) => json(others)),
  profile("has a number for an id", (real) => json({ ...real, id: 7 })),
  profile("has an id that is not a UUID", (real) => json({ ...real, id: "ada" })),
  profile("is another user", (real) => json({ ...real, id: "00000000-0000-4000-8000-000000000000" })),
  profile("is inside an envelope", (real) => json({ data: real })),
  profile("is JSON that is called text", (real) => plain(JSON.stringify(real), 200)),

  {
    name: "an access token is expected without Bearer",
    behave:
      ({ pass }) =>
      (request) => {
        const headers = new Headers(request.headers);
        const sent = headers.get("authorization");
        if (sent !== null) headers.set("authorization", /^bearer /i.test(sent) ? "none" : `Bearer ${sent}`);
        return pass(new Request(request, { headers }));
      },
  },
  {
    name: "an access token is accepted in the query string",
    behave:
      ({ pass }) =>
      (request) => {
        const token = new URL(request.url).searchParams.get("access_token");
        const headers = new Headers(request.headers);
        if (token && tokenOf(request) === "") headers.set("authorization", `Bearer ${token}`);
        return pass(new Request(request, { headers }));
      },
  },
];
