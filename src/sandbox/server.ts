/**
 * Serves the sandbox on a port. It translates between HTTP and the application, broken answers
 * included; `sandbox.ts` decides on the answers.
 */
import { once } from "node:events";
import { createServer, type ServerResponse, STATUS_CODES } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { FaultBindings } from "./faults.ts";

/** All that is served: a `SandboxApp` is one. */
export interface Served {
  app: { fetch(request: Request, bindings: FaultBindings): Response | Promise<Response> };
}

export interface RunningServer {
  url: string;
  /** Stops listening and ends open connections, hanging ones too. */
  close(): Promise<void>;
}

/** Rejects when the port cannot be had (`code` says why). Port 0 asks for any free port. */
export async function startServer(
  provider: Served,
  { port = 0, host = "127.0.0.1" }: { port?: number; host?: string } = {},
): Promise<RunningServer> {
  const server = createServer((incoming, outgoing) => {
    // The global Request and Response stay the runtime's own: tests in this process compare with them.
    const listener = getRequestListener((request) => answer(provider, request, outgoing), {
      overrideGlobalObjects: false,
    });
    void listener(incoming, outgoing);
  });
  server.listen(port, host);
  await once(server, "listening");

  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server is without a port.");
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Sends the answer itself, since Hono's adapter turns a body that breaks early into a 500. */
async function answer({ app }: Served, request: Request, outgoing: ServerResponse): Promise<Response> {
  const inform = (status: number) => {
    outgoing.socket?.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n\r\n`);
  };
  try {
    await send(await app.fetch(request, { inform }), outgoing);
  } catch {
    // The written bytes have left the process by the next turn of the event loop; then the connection breaks.
    setImmediate(() => outgoing.destroy());
  }
  return RESPONSE_ALREADY_SENT;
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  outgoing.flushHeaders();
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    await write(outgoing, part.value);
  }
  outgoing.end();
}

function write(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
