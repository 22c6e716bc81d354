/** Serves this page with Vite, and a sandbox for it. An application does without it. */
import { createServer, type Plugin } from "vite";
import { createSandboxApp, type SandboxApp } from "../../src/sandbox/sandbox.ts";
import { startServer } from "../../src/sandbox/server.ts";

export type RunningExample = Awaited<ReturnType<typeof serveExample>>;

/**
 * @param entry - the built package; an application has it from npm
 * @param port - where the page is served; 0 for any
 */
export async function serveExample(entry: string, port: number) {
  const provider = createSandboxApp();
  const sandbox = await startServer(provider);
  const grace = provider.addUser({
    email: "grace@example.com",
    password: "example-password",
    otpCode: "123456",
  });
  const settings = {
    VITE_BAANX_URL: sandbox.url,
    VITE_BAANX_CLIENT_KEY: provider.clientKey,
    VITE_BAANX_EMAIL: provider.user.email,
    VITE_BAANX_PASSWORD: provider.user.password,
    VITE_BAANX_HINT: `Two made-up users live in the sandbox: this one, and ${grace.email}, who has the same password and the one-time password 123456.`,
  };
  const vite = await createServer({
    configFile: false,
    root: import.meta.dirname,
    logLevel: "warn",
    // One small module, served as it is: Vite writes no cache for it.
    optimizeDeps: { noDiscovery: true, include: [] },
    resolve: { alias: { "baanx-session": entry } },
    define: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`import.meta.env.${name}`, JSON.stringify(value)]),
    ),
    plugins: [yourOwnServer(provider)],
    // The build may be in any folder, and only this machine is served.
    server: { host: "127.0.0.1", port, fs: { strict: false } },
  });
  await vite.listen();
  const address = vite.httpServer?.address();
  if (!address || typeof address === "string") throw new Error("The page lacks a port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    provider,
    close: async () => {
      await vite.close();
      await sandbox.close();
    },
  };
}

/** Plays your own server, which completes the OAuth flow with a secret. */
function yourOwnServer(provider: SandboxApp): Plugin {
  return {
    name: "your-own-server",
    configureServer({ middlewares }) {
      middlewares.use("/authorize", (_request, response) => {
        const { accessToken, refreshToken, userId } = provider.authorize();
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ accessToken, refreshToken, userId }));
      });
    },
  };
}
