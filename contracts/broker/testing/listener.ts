/** The provider's CI as a broker's webhook sees it: an HTTP listener that starts a build on request. */
import { once } from "node:events";
import { createServer } from "node:http";

export interface Told {
  authorization: string | undefined;
  payload: { pact_url: string; sha: string; branch: string };
}

export async function listen(build: (told: Told) => void): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    // Answers at once: a build takes longer than a broker waits.
    response.writeHead(204).end();
    const { client_payload: payload } = JSON.parse(Buffer.concat(chunks).toString());
    build({ authorization: request.headers.authorization, payload });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/dispatches`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
