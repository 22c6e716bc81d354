/**
 * The servers for a browser: pages on one origin, the sandbox on another, so that preflights are real, and a third that
 * redirects to a fourth. Records the requests; the tests judge them.
 */
import { dirname, join, resolve } from "node:path";
import type { BuildOptions } from "esbuild";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, type Served, startServer } from "../../src/sandbox/server.ts";
import { bundle } from "../bundle.ts";
import { exchangeAt } from "../support.ts";
import { svelte } from "../svelte.ts";

export type Site = Awaited<ReturnType<typeof openSite>>;

/** @param entry - the package's module, for the pages */
export async function openSite(entry: string) {
  const servers: RunningServer[] = [];
  const serve = async (app: Served["app"]) => {
    const server = await startServer({ app });
    servers.push(server);
    return server.url;
  };

  const provider = createSandboxApp();
  /** The preflights that the provider received, as `POST /v1/auth/logout`. */
  const preflights: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const api = await serve({
    async fetch(request, bindings) {
      if (request.method !== "OPTIONS") return provider.app.fetch(request, bindings);
      const asked = request.headers.get("access-control-request-method");
      preflights.push(`${asked} ${new URL(request.url).pathname}`);
      await gate;
      const answer = await provider.app.fetch(request, bindings);
      // A new preflight for each request, because a cached one would prove nothing.
      answer.headers.set("access-control-max-age", "0");
      return answer;
    },
  });

  /** The requests that arrived at the target of the redirects. */
  const leaked: string[] = [];
  const elsewhere = await serve(recorder(leaked));
  const redirecting = await serve(redirector(elsewhere));

  const settings = { baseUrl: api, clientKey: provider.clientKey };
  const script = await bundle('import "./browser/app.ts";', settings, { entry }, { platform: "browser" });
  const components = await bundle(
    'import "./browser/components.ts";',
    settings,
    { entry },
    forComponents(entry),
  );
  let swallow: (() => void) | undefined;
  const renew = async (refreshToken: string) => {
    if (!swallow) return renewed(provider, refreshToken);
    swallow();
    swallow = undefined;
    return new Promise<never>(() => {});
  };
  const pages = await serve(application({ "app.js": script, "components.js": components }, renew));

  return {
    /**
     * The origin of the pages, on another site than the provider at 127.0.0.1. `/app` has a session, `/deaf` has one
     * without storage events, `/sandboxed` has one without storage, `/components` has one in frameworks, `/login` is
     * empty, and `/goodbye` clears the storage.
     */
    pages: pages.replace("127.0.0.1", "localhost"),
    api,
    provider,
    preflights,
    /** Stops the provider's answers to preflights until the returned function is called. */
    holdPreflights() {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
    /** The application's own server drops the next renewal without a request. Resolves when the renewal has arrived. */
    swallowRenewal: () =>
      new Promise<void>((resolve) => {
        swallow = resolve;
      }),
    redirecting,
    leaked,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** Renews on the application's own server, which has the secret key. */
async function renewed(provider: SandboxApp, refreshToken: string): Promise<Response> {
  const response = await exchangeAt(provider, refreshToken);
  if (!response.ok) return response;
  const { access_token, refresh_token } = await response.json();
  return Response.json({ accessToken: access_token, refreshToken: refresh_token });
}

/** Bundles React once, for the package and for the page. */
const forComponents = (entry: string): BuildOptions => ({
  platform: "browser",
  alias: {
    "baanx-session/react": join(dirname(entry), "react.js"),
    "baanx-session": entry,
    react: resolve(import.meta.dirname, "../../node_modules/react"),
  },
  plugins: [svelte("client")],
  define: { "process.env.NODE_ENV": '"development"' },
});

function application(
  scripts: Record<string, string>,
  renew: (refreshToken: string) => Promise<Response>,
): Hono {
  const html = (title: string, body: string) =>
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>${body}</html>`;
  const app = html("loading", '<script type="module" src="/app.js"></script>');
  const deaf =
    '<script>addEventListener("storage", (event) => event.stopImmediatePropagation(), true)</script>';
  return (
    new Hono()
      .get("/:script{.+\\.js}", (c) =>
        c.body(scripts[c.req.param("script")] ?? "", 200, {
          "content-type": "text/javascript",
          "access-control-allow-origin": "*",
        }),
      )
      .get("/app", (c) => c.html(app))
      .get("/components", (c) => c.html(app.replace("/app.js", "/components.js")))
      .get("/deaf", (c) => c.html(app.replace("<script", `${deaf}<script`)))
      // An opaque origin, for which every engine throws on reading `localStorage`.
      .get("/sandboxed", (c) => c.html(app, 200, { "content-security-policy": "sandbox allow-scripts" }))
      .get("/login", (c) => c.html(html("Log in", "<h1>Log in</h1>")))
      // A page that was left could not store the confirmation of its ending, and the next would retry.
      .get("/goodbye", (c) => c.html(html("Goodbye", "<script>localStorage.clear()</script>")))
      .post("/renew", async (c) => renew(await c.req.text()))
  );
}

/** Allows everything that could stop a browser from exposing a response. */
const redirector = (to: string) =>
  new Hono().use(cors()).all("*", (c) => c.redirect(`${to}${c.req.path}`, 307));

const recorder = (leaked: string[]) =>
  new Hono()
    .use(async (c, next) => {
      leaked.push(`${c.req.method} ${JSON.stringify(c.req.header())}`);
      await next();
    })
    .use(cors())
    .all("*", (c) => c.json({ success: true }));
