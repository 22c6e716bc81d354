/**
 * What a browser visits: pages on one origin, the sandbox on another, so that preflights are real, and
 * a third that redirects to a fourth. It records what the servers saw; what that should be is left to the tests.
 */
import { dirname, join, resolve } from "node:path";
import type { BuildOptions } from "esbuild";
import { Hono } from "hono";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { type RunningServer, type Served, startServer } from "../../src/sandbox/server.ts";
import { bundle } from "../bundle.ts";
import { exchangeAt } from "../support.ts";
import { svelte } from "../svelte.ts";

export interface Site {
  /**
   * The origin of the pages: `/app` has the session, `/deaf` has it and hears no storage event, `/sandboxed` has it and
   * no storage, `/components` has it in frameworks, `/login` has nothing, and `/goodbye` forgets what was stored.
   */
  pages: string;
  /** Where the provider is. */
  api: string;
  provider: SandboxApp;
  /** The preflights that the provider was asked, as `POST /v1/auth/logout`. */
  preflights: string[];
  /** Keeps the provider from answering preflights until what it returns is called. */
  holdPreflights(): () => void;
  /** The application's own server never answers the next renewal, and asks nobody for it. Resolves when it has come. */
  swallowRenewal(): Promise<void>;
  /** Answers each request with a redirect. */
  redirecting: string;
  /** What arrived where the redirects lead to. */
  leaked: string[];
  close(): Promise<void>;
}

/** @param entry - the module of the package that the pages have */
export async function openSite(entry: string): Promise<Site> {
  const servers: RunningServer[] = [];
  const serve = async (app: Served["app"]) => {
    const server = await startServer({ app });
    servers.push(server);
    return server.url;
  };

  const provider = createSandboxApp();
  const preflights: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const api = await serve({
    async fetch(request, bindings) {
      if (request.method !== "OPTIONS") return provider.app.fetch(request, bindings);
      const asked = request.headers.get("access-control-request-method");
      preflights.push(`${asked} ${new URL(request.url).pathname}`);
      await gate;
      const answer = await provider.app.fetch(request, bindings);
      // Asked again for each request: one that was asked already shows nothing.
      answer.headers.set("access-control-max-age", "0");
      return answer;
    },
  });

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
    // Of another site than the provider, which is at 127.0.0.1, and not of another port only.
    pages: pages.replace("127.0.0.1", "localhost"),
    api,
    provider,
    preflights,
    holdPreflights() {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
    swallowRenewal: () =>
      new Promise((resolve) => {
        swallow = resolve;
      }),
    redirecting,
    leaked,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** What the application's own server does, since it takes the secret key. */
async function renewed(provider: SandboxApp, refreshToken: string): Promise<Response> {
  const response = await exchangeAt(provider, refreshToken);
  if (!response.ok) return response;
  const { access_token, refresh_token } = await response.json();
  return Response.json({ accessToken: access_token, refreshToken: refresh_token });
}

/** React once, for the package and for the page. */
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
      // Of an origin of its own, for which every engine throws when `localStorage` is read.
      .get("/sandboxed", (c) => c.html(app, 200, { "content-security-policy": "sandbox allow-scripts" }))
      .get("/login", (c) => c.html(html("Log in", "<h1>Log in</h1>")))
      // A page that was left could not write down that its ending was confirmed, and the next would ask again.
      .get("/goodbye", (c) => c.html(html("Goodbye", "<script>localStorage.clear()</script>")))
      .post("/renew", async (c) => renew(await c.req.text()))
  );
}

/** Whatever would keep a browser from showing what it has is allowed. */
const open = (origin = "*") => ({
  "access-control-allow-origin": origin,
  "access-control-allow-headers": "authorization, x-client-key, x-us-env, content-type",
  "access-control-allow-methods": "GET, POST, DELETE",
});

function redirector(to: string): Hono {
  return new Hono().all("*", (c) => {
    if (c.req.method === "OPTIONS") return c.body(null, 204, open());
    return c.body(null, 307, { ...open(), location: `${to}${c.req.path}` });
  });
}

function recorder(leaked: string[]): Hono {
  return new Hono().all("*", (c) => {
    leaked.push(`${c.req.method} ${JSON.stringify(c.req.header())}`);
    if (c.req.method === "OPTIONS") return c.body(null, 204, open());
    return c.json({ success: true }, 200, open());
  });
}
