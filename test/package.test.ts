/**
 * What a user gets from npm: the packed files, and that they run and type-check in a project of their own. The
 * behaviour of a session is not repeated here; one ending shows that the parts have come along.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createReferenceProvider } from "../contracts/provider/provider.ts";
import { startServer } from "../contracts/provider/server.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

// A build, a pack and the compiler.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-"));
  // Builds first (`prepack`), as for a release.
  await run("npm", ["pack", "--pack-destination", folder], { cwd: root });
  const [tarball = "", ...more] = await readdir(folder);
  expect(more).toEqual([]);
  const { stdout } = await run("tar", ["-tzf", tarball], { cwd: folder });
  packed = stdout.trim().split("\n").sort();

  // Installed by hand. `npm install` would ask a registry for openapi-fetch, and nothing may be fetched after
  // `npm ci`. As there, what is declared comes along and nothing else: an import beyond that fails.
  const home = join(folder, "node_modules", "baanx-session");
  await mkdir(home, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"], { cwd: folder });
  await addDependencies(home);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function addDependencies(home: string): Promise<void> {
  // Our own manifest, or one that npm has installed: both are what npm has checked.
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    await readFile(join(home, "package.json"), "utf8"),
  );
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const target = join(folder, "node_modules", name);
    await cp(join(root, "node_modules", name), target, { recursive: true });
    await addDependencies(target);
  }
}

describe("the packed tarball", () => {
  it("holds the build and the documents, and no source, test or contract", () => {
    expect(packed).toEqual([
      "package/CHANGELOG.md",
      "package/LICENSE",
      "package/README.md",
      "package/dist/index.d.ts",
      "package/dist/index.js",
      "package/dist/index.js.map",
      "package/package.json",
    ]);
  });

  it("maps to its sources, which are in the map, and names no folder of the machine that built it", async () => {
    const dist = join(folder, "node_modules", "baanx-session", "dist");
    const texts = await Promise.all(
      ["index.js", "index.js.map", "index.d.ts"].map((file) => readFile(join(dist, file), "utf8")),
    );
    expect(texts.filter((text) => text.includes(root))).toEqual([]);
    const map: { sources: string[]; sourcesContent: unknown[] } = JSON.parse(texts[1] ?? "");
    expect(map.sources).toContain("../src/session.ts");
    expect(map.sourcesContent.filter((content) => !content)).toEqual([]);
  });

  it("ends a session in a project that has installed it", async () => {
    const provider = createReferenceProvider();
    const server = await startServer(provider);
    try {
      const { accessToken } = provider.login();
      await writeFile(
        join(folder, "end.js"),
        `import { createSession } from "baanx-session";
        const [baseUrl, clientKey, accessToken] = process.argv.slice(2);
        const session = createSession({ baseUrl, clientKey });
        await session.start({ accessToken, grant: "login" });
        const { response } = await session.client.GET("/v1/user");
        const end = await session.end();
        console.log(JSON.stringify([response.status, end, await session.probe({ accessToken })]));`,
      );
      const { stdout } = await run(
        process.execPath,
        ["end.js", server.url, provider.clientKey, accessToken],
        {
          cwd: folder,
        },
      );
      const end = { endpoint: "logout", server: "confirmed", local: "cleared" };
      expect(JSON.parse(stdout)).toEqual([200, end, "invalid"]);
      expect(provider.isAlive(accessToken)).toBe(false);
    } finally {
      await server.close();
    }
  });

  it("can be required by CommonJS code", async () => {
    await writeFile(
      join(folder, "require.cjs"),
      'console.log(typeof require("baanx-session").createSession);',
    );
    const { stdout } = await run(process.execPath, ["require.cjs"], { cwd: folder });
    expect(stdout).toBe("function\n");
  });
});

describe("the types in the tarball", () => {
  it.each([
    { module: "esnext", moduleResolution: "bundler" },
    { module: "nodenext", moduleResolution: "nodenext" },
  ])("check in a strict project, with moduleResolution $moduleResolution", async (options) => {
    const compilerOptions = {
      ...options,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      // Ours are checked too.
      skipLibCheck: false,
      noEmit: true,
    };
    await writeFile(join(folder, "consumer.ts"), consumer);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["consumer.ts"] }),
    );
    // Its errors are on stdout, so that a failure shows them.
    const { stdout } = await run(process.execPath, [tsc, "-p", folder]).catch((error) => error);
    expect(stdout).toBe("");
  });
});

const consumer = `import { createBindings, createSession, type SessionEnd, SessionError, webStorageStore } from "baanx-session";

const options = { baseUrl: "https://dev.api.baanx.com", clientKey: "key" };
const session = createSession({ ...options, store: webStorageStore(() => localStorage) });
const end: SessionEnd = await session.end();
export const side: "confirmed" | "already-invalid" | "unconfirmed" | "superseded" | "expired" | "no-session" = end.server;
export const code: string | undefined = end.error instanceof SessionError ? end.error.code : undefined;

const { data } = await session.client.GET("/v1/user");
export const id: string | undefined = data?.id;
// @ts-expect-error the session ends by its own methods only
session.client.POST("/v1/auth/logout");
// @ts-expect-error the client key is required
createSession({ baseUrl: "https://dev.api.baanx.com" });

const login = await createBindings(options).POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });
export const token: string | null | undefined = login.data?.accessToken;

interface Larger {
  "/v1/cards": { get: { parameters: { query?: never }; responses: { 200: { content: { "application/json": string[] } } } } };
}
const cards = await createSession<Larger>(options).client.GET("/v1/cards");
export const names: string[] | undefined = cards.data;
`;
