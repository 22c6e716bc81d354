/** Brokers behind a private certificate authority, behind a proxy, and over http inside a network (docs/broker.md). */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { as, missingHere, openScene, type Scene } from "./testing/scene.ts";

const missing = missingHere("contracts/broker/network.e2e.ts");

describe.skipIf(missing)("a command reaches a broker", () => {
  const folder = mkdtempSync(join(tmpdir(), "baanx-session-network-"));
  const certificate = join(folder, "ca.pem");
  const servers: Server[] = [];
  const seen: string[] = [];
  let scene: Scene;
  let tlsPort: number;
  let proxy: string;

  /** Forwards a request to the real broker, which builds its links from the headers of a proxy. */
  function pass(incoming: IncomingMessage, response: ServerResponse, protocol: string): void {
    const path = (incoming.url ?? "/").replace(/^https?:\/\/[^/]+/, "");
    const headers = { ...incoming.headers, "x-forwarded-proto": protocol };
    const { port } = new URL(scene.broker.url);
    const outgoing = request(
      { host: "127.0.0.1", port, path, method: incoming.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    incoming.pipe(outgoing);
  }
  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return (server.address() as AddressInfo).port;
  }

  beforeAll(async () => {
    scene = await openScene();
    const key = join(folder, "key.pem");
    const of = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"];
    const names = "subjectAltName=DNS:pact-broker.test,IP:127.0.0.1";
    execFileSync("openssl", ["req", "-x509", ...of, "-subj", "/CN=pact-broker.test", "-addext", names], {
      stdio: "ignore",
    });
    const tls = { key: readFileSync(key), cert: readFileSync(certificate) };
    tlsPort = await listen(createTlsServer(tls, (incoming, response) => pass(incoming, response, "https")));
    const forward = createServer((incoming, response) => {
      seen.push(`${incoming.method} ${incoming.url}`);
      pass(incoming, response, "http");
    });
    forward.on("connect", ({ url }, socket, head) => {
      seen.push(`CONNECT ${url}`);
      const tunnel = connect(tlsPort, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        tunnel.write(head);
        tunnel.pipe(socket).pipe(tunnel);
      });
      for (const end of [socket, tunnel]) end.on("error", () => {});
    });
    proxy = `http://127.0.0.1:${await listen(forward)}`;
  });

  afterAll(async () => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
    await scene?.end();
  });

  /** Publishes, verifies with the sandbox where that is allowed, and asks the gate. */
  async function wholeWay(version: string, environment: Record<string, string>) {
    const published = await scene.run("contracts-publish", as(version), environment);
    expect(published).toMatchObject({ code: 0, err: "" });
    const ask = ["--version", version];
    expect(await scene.run("contracts-can-i-release", ask, environment)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^contracts:can-i-release: No: No version of baanx-auth-api/),
    });
    const verify = ["--from-broker", "--no-publish"];
    const verified = await scene.run("contracts-verify", verify, environment);
    expect(verified).toMatchObject({ code: 0, err: "", out: expect.stringContaining("10 passed") });
  }

  it("with a certificate of its own, by SSL_CERT_FILE alone", async () => {
    const own = { PACT_BROKER_BASE_URL: `https://127.0.0.1:${tlsPort}` };
    const ran = await scene.run("contracts-publish", as("n1"), own);
    expect(ran).toMatchObject({ code: 1, out: "", err: expect.stringContaining("(SSL_CERT_FILE)") });
    await wholeWay("n1", { ...own, SSL_CERT_FILE: certificate });
  });

  it("with a certificate of its own behind a proxy, by HTTPS_PROXY", async () => {
    const own = { PACT_BROKER_BASE_URL: "https://pact-broker.test", SSL_CERT_FILE: certificate };
    await wholeWay("n2", { ...own, HTTPS_PROXY: proxy });
    expect(seen).toContain("CONNECT pact-broker.test:443");
  });

  it("over http inside a network, once PACT_BROKER_ALLOW_HTTP says so", async () => {
    const inside = { PACT_BROKER_BASE_URL: "http://pact-broker:9292", HTTP_PROXY: proxy };
    const refused = await scene.run("contracts-publish", as("n3"), inside);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("PACT_BROKER_ALLOW_HTTP=true") });
    await wholeWay("n3", { ...inside, PACT_BROKER_ALLOW_HTTP: "true" });
    expect(seen).toContainEqual(expect.stringMatching(/^GET http:\/\/pact-broker:9292\//));
  });
});
