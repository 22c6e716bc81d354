/**
 * What a browser visits: pages on one origin, the reference provider on another, so that preflights are real, and
 * a third that redirects to a fourth. It records what the servers saw; what that should be is left to the tests.
 */
import { Hono } from "hono";
import { createReferenceProvider, type ReferenceProvider } from "../../contracts/provider/provider.ts";
import { type RunningServer, type Served, startServer } from "../../contracts/provider/server.ts";
import { buildPackage } from "../built.ts";
import { bundle } from "../bundle.ts";

export interface Site {
  /**
   * The origin of the pages: `/app` has the session, `/login` has nothing, `/goodbye` forgets what was stored, and
   * `/frame` has `/app` in a sandbox.
   */
  pages: string;
  /** Where the provider is. */
  api: string;
  provider: ReferenceProvider;
  /** The preflights that the provider was asked, as `POST /v1/auth/logout`. */
  preflights: string[];
  /** Keeps the provider from answering preflights until what it returns is called. */
  holdPreflights(): () => void;
  /** Answers each request with a redirect. */
  redirecting: string;
  /** What arrived where the redirects lead to. */
  leaked: string[];
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const servers: RunningServer[] = [];
  const serve = async (app: Served["app"]) => {
    const server = await startServer({ app });
    servers.push(server);
    return server.url;
  };

  const provider = createReferenceProvider();
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

  const built = await buildPackage();
  const settings = { baseUrl: api, clientKey: provider.clientKey };
  const script = await bundle('import "./browser/app.ts";', settings, built, { platform: "browser" });
  await built.remove();
  const pages = await serve(application(script));

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
    redirecting,
    leaked,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

function application(script: string): Hono {
  const html = (title: string, body: string) =>
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>${body}</html>`;
  return (
    new Hono()
      .get("/app.js", (c) =>
        c.body(script, 200, { "content-type": "text/javascript", "access-control-allow-origin": "*" }),
      )
      .get("/app", (c) => c.html(html("loading", '<script type="module" src="/app.js"></script>')))
      .get("/login", (c) => c.html(html("Log in", "<h1>Log in</h1>")))
      // A page that was left could not write down that its ending was confirmed, and the next would ask again.
      .get("/goodbye", (c) => c.html(html("Goodbye", "<script>localStorage.clear()</script>")))
      .get("/frame", (c) => c.html(html("Frame", '<iframe src="/app" sandbox="allow-scripts"></iframe>')))
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
