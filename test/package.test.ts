/**
 * The package as a user gets it from npm: the packed files run, type-check and bundle in separate projects. Other tests
 * cover the behaviour of a session; here one ending shows that all parts are included.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import webpack from "webpack";
import { parse } from "yaml";
import { createSandboxApp } from "../src/sandbox/sandbox.ts";
import { blocksOf, compilerOutput, type compilers } from "./compile.ts";
import { serve } from "./support.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..");
const isBuilt = process.env["IS_BUILT"] === "true";

// Packs, compiles, and builds if the checks have not.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** Contains the tarballs, the one installation and its copies. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-"));
  await mkdir(join(folder, "tarballs"));
  // `prepack` builds first, as for a release. A whole run of the checks has already built.
  await pack(root, ...(isBuilt ? ["--ignore-scripts"] : []));
  await packDependencies(root);
  const home = join(folder, "installed");
  await mkdir(home);
  await writeFile(join(home, "package.json"), '{ "private": true, "type": "module" }');
  const tarballs = await readdir(join(folder, "tarballs"));
  const args = ["install", "--offline", "--no-audit", "--no-fund", "--cache", join(folder, "cache")];
  await run("npm", [...args, ...tarballs.map((name) => join(folder, "tarballs", name))], { cwd: home });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pack = (home: string, ...args: string[]) =>
  run("npm", ["pack", ...args, "--pack-destination", join(folder, "tarballs")], { cwd: home });

/** Packs the dependencies, because nothing may be fetched after `npm ci`. */
async function packDependencies(home: string): Promise<void> {
  const { dependencies = {} } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies)) {
    await pack(join(root, "node_modules", name), "--ignore-scripts");
    await packDependencies(join(root, "node_modules", name));
  }
}

/** Creates a folder with these files, a copy of the shared installation, and links to modules of this repository. */
async function project(files: Record<string, string> = {}, links: string[] = []): Promise<string> {
  const home = await mkdtemp(join(folder, "project-"));
  await cp(join(folder, "installed"), home, { recursive: true, verbatimSymlinks: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(home, name), content);
  for (const name of links) {
    await mkdir(dirname(join(home, "node_modules", name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(home, "node_modules", name));
  }
  return home;
}

const packageOf = async () => join(await project(), "node_modules", "baanx-session");

/** Lists the files of the package's tarball, as npm unpacks it. */
async function packed(): Promise<string[]> {
  const home = await packageOf();
  const found = await readdir(home, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(home, join(entry.parentPath, entry.name)))
    .sort();
}

/** The options of a project that also checks our types, but not the compiler's own. */
const strict = {
  target: "es2022",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  noEmit: true,
};

/** Ends a session with the arguments of `ended`, and prints the result. */
const program = `
const [baseUrl, clientKey, accessToken] = process.argv.slice(2);
const session = createSession({ baseUrl, clientKey });
await session.start({ accessToken, grant: "login" });
const { response } = await session.client.GET("/v1/user");
const end = await session.end();
console.log(JSON.stringify([response.status, end, await probe({ baseUrl, clientKey }, { accessToken })]));
`;

/** Runs a program against the sandbox. */
async function ended(file: string, cwd: string): Promise<unknown> {
  const provider = createSandboxApp();
  const { url } = await serve(provider);
  const { accessToken } = provider.login();
  const { stdout } = await run(process.execPath, [file, url, provider.clientKey, accessToken], {
    cwd,
  });
  return JSON.parse(stdout);
}

const wellEnded = [200, { endpoint: "logout", server: "confirmed", local: "cleared" }, "invalid"];

describe("the packed tarball", () => {
  it("contains the build, the documents and the kit for providers, without sources and tests", async () => {
    const files = await packed();
    const isDocument = (file: string) =>
      /^(docs\/(api\/(stores\/)?|images\/)?[\w-]+\.(md|png|yml)|examples\/.*|scripts\/bench\/results\.json)$/.test(
        file,
      );
    // Files that entries share, or import when they need them, have a hash in their name.
    const names = files.map((file) => file.replace(/^(dist\/[a-z]+)-[\w-]{8}\./, "$1-…."));
    expect(names.filter((file) => !isDocument(file))).toEqual([
      "CHANGELOG.md",
      "CONTRIBUTING.md",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "contracts/README.md",
      "contracts/fixtures/provider.mjs",
      "contracts/pacts/baanx-session-baanx-auth-api.json",
      "contracts/provider-states.json",
      "dist/LICENCES.txt",
      "dist/cli.js",
      "dist/cli.js.map",
      ...["index", "postgres", "react", "redis", "sandbox"].flatMap((entry) =>
        [".d.ts", ".js", ".js.map"].map((end) => `dist/${entry}${end}`),
      ),
      "dist/server-….js",
      "dist/server-….js.map",
      "dist/store-….d.ts",
      "dist/types-….d.ts",
      "dist/unstorage.d.ts",
      "dist/unstorage.js",
      "dist/unstorage.js.map",
      "openapi/baanx-auth.openapi.yaml",
      "openapi/sessions.arazzo.yaml",
      "package.json",
    ]);
  });

  it("contains the targets of its documents' links, and the maps of its files", async () => {
    const home = await packageOf();
    const files = await packed();
    const dead: string[] = [];
    let count = 0;
    for (const file of files.filter((name) => name.endsWith(".md"))) {
      const text = await readFile(join(home, file), "utf8");
      for (const [, link, image] of text.matchAll(/\]\(([^)\s]+)[^)]*\)|(?:src|srcset)="([^"]+)"/g)) {
        const [path = ""] = (link ?? image ?? "").split("#");
        if (path === "" || /^\w+:/.test(path)) continue;
        count += 1;
        const target = join(dirname(file), path).replace(/\/$/, "");
        if (!files.some((name) => name === target || name.startsWith(`${target}/`)))
          dead.push(`${file}: ${path}`);
      }
    }
    expect(count).toBeGreaterThan(100);
    expect(dead).toEqual([]);
    for (const file of files.filter((name) => /^dist\/.*\.(js|ts)$/.test(name))) {
      const [, map] = /^\/\/# sourceMappingURL=(.*)$/m.exec(await readFile(join(home, file), "utf8")) ?? [];
      if (map) expect(files).toContain(`dist/${map}`);
    }
  });

  it("depends on openapi-fetch by a range, so that an application shares its copy", async () => {
    const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(dependencies).toEqual({ "openapi-fetch": expect.stringMatching(/^\^\d+\.\d+\.\d+$/) });
  });

  it("starts the React file with use client, and does not import the core in an adapter", async () => {
    const dist = join(await packageOf(), "dist");
    for (const adapter of ["react", "redis", "postgres", "unstorage"]) {
      const code = await readFile(join(dist, `${adapter}.js`), "utf8");
      const isReact = adapter === "react";
      expect(code.startsWith('"use client";\n'), adapter).toBe(isReact);
      expect([...code.matchAll(/ from "(.*)"/g)].map(([, from]) => from)).toEqual(isReact ? ["react"] : []);
    }
    expect(await readFile(join(dist, "index.js"), "utf8")).not.toContain("use client");
  });

  it("embeds the sources in its maps, without folders of the build machine", async () => {
    const dist = join(await packageOf(), "dist");
    const texts = new Map<string, string>();
    for (const file of await readdir(dist)) texts.set(file, await readFile(join(dist, file), "utf8"));
    expect([...texts].filter(([, text]) => text.includes(root))).toEqual([]);
    for (const [name, source] of [
      ["index", "session.ts"],
      ["cli", "cli/main.ts"],
      ["sandbox", "sandbox/sandbox.ts"],
    ]) {
      expect(texts.get(`${name}.js`)).toContain(`//# sourceMappingURL=${name}.js.map`);
      const map: { sources: string[]; sourcesContent: unknown[] } = JSON.parse(
        texts.get(`${name}.js.map`) ?? "",
      );
      expect(map.sources).toContain(`../src/${source}`);
      expect(map.sourcesContent.filter((content) => !content)).toEqual([]);
    }
  });
});

describe("a project that has installed it", () => {
  it("ends a session as an ES module", async () => {
    const code = `import { createSession, probe } from "baanx-session";${program}`;
    expect(await ended("end.js", await project({ "end.js": code }))).toEqual(wellEnded);
  });

  it("ends a session with require, as CommonJS", async () => {
    const code = `const { createSession, probe } = require("baanx-session");(async () => {${program}})();`;
    expect(await ended("end.cjs", await project({ "end.cjs": code }))).toEqual(wellEnded);
  });

  it("tests against the sandbox, in process and on a port", async () => {
    const code = `import { createSession } from "baanx-session";
      import { createSandbox, startSandbox } from "baanx-session/sandbox";
      const sandbox = createSandbox();
      const running = await startSandbox();
      const results = [];
      for (const { clientKey, fetch, url: baseUrl, login } of [{ ...sandbox, url: "https://dev.api.baanx.com" }, { ...running, fetch: globalThis.fetch }]) {
        const session = createSession({ baseUrl, clientKey, fetch });
        await session.start({ ...login(), grant: "login" });
        results.push((await session.end()).server);
      }
      running.misbehave({ status: 403 });
      results.push((await fetch(running.url)).status);
      await running.close();
      console.log(JSON.stringify(results));`;
    const home = await project({ "test.js": code });
    const { stdout } = await run(process.execPath, ["test.js"], { cwd: home });
    expect(JSON.parse(stdout)).toEqual(["confirmed", "confirmed", 403]);
  });

  it.each([
    { where: "a project", folder: "." },
    // This is also the layout of a built clone.
    { where: "the package's own folder", folder: "node_modules/baanx-session" },
  ])(
    "ends a session in $where with the README's first example and the command's sandbox",
    async ({ folder }) => {
      const [example = ""] = await examples();
      const home = await project();
      const sandbox = await command(home, ["sandbox"]);
      const [, url = ""] = /address +(\S+)/.exec(sandbox) ?? [];
      const cwd = join(home, folder);
      await writeFile(join(cwd, "try.mjs"), example.replace("http://127.0.0.1:8787", url));
      expect((await run(process.execPath, ["try.mjs"], { cwd })).stdout).toBe("confirmed cleared invalid\n");
    },
  );

  it("runs the README's example of the sandbox with the result in its last line", async () => {
    const example = (await examples()).find((code) => code.includes("baanx-session/sandbox")) ?? "";
    const [, expected] = /console\.log\(.*\); \/\/ (.*)\n$/.exec(example) ?? [];
    const home = await project({ "try.mjs": example });
    expect((await run(process.execPath, ["try.mjs"], { cwd: home })).stdout).toBe(`${expected}\n`);
  });

  /** Returns the README's examples in order. */
  const examples = async () => blocksOf(await readFile(join(root, "README.md"), "utf8"));

  /** Runs the command that npm has linked, until its first output. */
  async function command(home: string, args: string[]): Promise<string> {
    const child: ChildProcess = spawn(join(home, "node_modules", ".bin", "baanx-session"), args);
    onTestFinished(() => void child.kill());
    const [text] = child.stdout ? await once(child.stdout, "data") : [];
    return String(text);
  }
});

it("has the specification and the contract under their names", async () => {
  const { resolve } = createRequire(join(await project(), "package.json"));
  for (const [name, file] of [
    ["openapi.yaml", "openapi/baanx-auth.openapi.yaml"],
    ["pact.json", "contracts/pacts/baanx-session-baanx-auth-api.json"],
  ])
    expect(await readFile(resolve(`baanx-session/${name}`), "utf8")).toBe(
      await readFile(join(root, file ?? ""), "utf8"),
    );
});

it("generates types that the session accepts, by the fix of the reusable workflow, which then passes", async () => {
  const specification = await readFile(join(root, "openapi", "baanx-auth.openapi.yaml"), "utf8");
  const larger = specification.replace("\n  /v1/user:", "\n  /v1/cards:");
  const home = await project({ "api.yaml": larger }, ["openapi-typescript"]);
  const workflow = await readFile(join(root, ".github", "workflows", "codegen-drift.yml"), "utf8");
  const steps: { run?: string }[] = parse(workflow).jobs.drift.steps;
  const compare = steps.flatMap(({ run }) => (run?.includes("codegen") ? [run] : []));
  expect(compare).toHaveLength(1);
  const shell = (command = "", env: Record<string, string> = {}) =>
    run("sh", ["-c", command], { cwd: home, env: { PATH: process.env["PATH"], ...env } }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );

  const env = { SPECIFICATION: "api.yaml", OUTPUT: "src/types.ts" };
  const failed = await shell(compare[0], env);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  const [, fix = ""] = /run `(.*)`\.\n$/.exec(failed.stderr) ?? [];
  expect(await shell(fix)).toMatchObject({ code: 0, stderr: "" });
  expect(await shell(compare[0], env)).toMatchObject({ code: 0, stderr: "" });
  // The default is the package's own specification.
  expect(await shell(compare[0], { SPECIFICATION: "", OUTPUT: "own.ts" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("codegen --output own.ts`"),
  });

  const use = `import { createSession } from "baanx-session";
    import type { paths } from "./src/types.js";
    await createSession<paths>({ baseUrl: "https://dev.api.baanx.com", clientKey: "key" }).client.GET("/v1/cards");`;
  const compilerOptions = { ...strict, module: "nodenext", lib: ["es2022", "dom"], types: [] };
  expect(await compilerOutput(home, { "use.ts": use }, { compilerOptions })).toBe("");
});

it("verifies a provider with the kit and Pact's verifier, as contracts/README.md describes it", async () => {
  const home = await project({}, ["@pact-foundation/pact-cli"]);
  const kit = join(home, "node_modules", "baanx-session", "contracts", "fixtures", "provider.mjs");
  const provider = spawn(process.execPath, [kit], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void provider.stdin.end());
  const [url] = await once(createInterface(provider.stdout), "line");
  const args = ["--no", "--", "baanx-session", "verify"];
  const addresses = ["--provider-url", url, "--state-url", `${url}/_pact/state`];
  const { stdout, stderr } = await run("npx", [...args, ...addresses], { cwd: home });
  expect(stderr).toBe("");
  expect(stdout).toContain("10 passed, 0 failed, 0 unready, 0 pending, 0 skipped");
  expect(stdout).not.toMatch(/token-|key-/);
});

describe("a bundle of the session", () => {
  const code = `import { createSession, probe } from "baanx-session";${program}`;

  const bundlers: Record<string, (home: string) => Promise<unknown>> = {
    esbuild: (absWorkingDir) =>
      esbuild({
        absWorkingDir,
        entryPoints: ["end.js"],
        outfile: "out/end.mjs",
        bundle: true,
        format: "esm",
      }),
    Vite: (home) =>
      vite({
        root: home,
        configFile: false,
        logLevel: "error",
        build: {
          outDir: "out",
          target: "es2022",
          lib: { entry: "end.js", formats: ["es"], fileName: () => "end.mjs" },
        },
      }),
    webpack: (context) =>
      new Promise((done, fail) =>
        webpack(
          {
            context,
            mode: "production",
            entry: "./end.js",
            target: ["web", "es2022"],
            experiments: { outputModule: true },
            output: { path: join(context, "out"), filename: "end.mjs", module: true },
          },
          (error, stats) =>
            error || stats?.hasErrors() ? fail(error ?? new Error(stats?.toString())) : done(stats),
        ),
      ),
  };

  it.each(Object.entries(bundlers))(
    "ends a session with %s, without code of the command or the sandbox",
    async (_, bundle) => {
      const home = await project({ "end.js": code });
      await bundle(home);
      expect(await readdir(join(home, "out"))).toEqual(["end.mjs"]);
      expect(await ended("out/end.mjs", home)).toEqual(wellEnded);
      const text = await readFile(join(home, "out", "end.mjs"), "utf8");
      // Strings of the command, the sandbox and Hono.
      for (const mark of ["BAANX_CLIENT_KEY", "Not a token of an OAuth client", "Can not change header"])
        expect(text).not.toContain(mark);
    },
  );
});

describe("the types in the tarball", () => {
  it.each<{ compiler: (typeof compilers)[number]; module: string; moduleResolution: string }>([
    // `npm test -- package` also resolves the types in each way.
    { compiler: "typescript", module: "node16", moduleResolution: "node16" },
    { compiler: "typescript7", module: "esnext", moduleResolution: "bundler" },
    { compiler: "typescript7", module: "nodenext", moduleResolution: "nodenext" },
  ])(
    "check in a strict project with $compiler, with moduleResolution $moduleResolution",
    async ({ compiler, ...options }) => {
      const compilerOptions = { ...strict, ...options, lib: ["es2022", "dom"], types: [] };
      expect(
        await compilerOutput(await project(), { "consumer.ts": consumer }, { compilerOptions }, compiler),
      ).toBe("");
    },
  );

  it("check in a project of each template of create-vite, under its tsconfig", async () => {
    // Of create-vite 9.3, @vue/tsconfig 0.9 and @tsconfig/svelte 5; `strict` is the default of the compilers they install.
    const shared = {
      ...{
        module: "esnext",
        moduleResolution: "bundler",
        moduleDetection: "force",
        verbatimModuleSyntax: true,
      },
      ...{ types: [join(root, "node_modules", "vite", "client")], allowArbitraryExtensions: true },
      ...{ strict: true, skipLibCheck: true, noEmit: true },
    };
    const linted = { noUnusedLocals: true, noUnusedParameters: true, erasableSyntaxOnly: true };
    const templates = {
      "vanilla, react, preact, solid, lit, qwik": { ...linted, target: "es2023", lib: ["es2023", "dom"] },
      vue: { ...linted, target: "esnext", lib: ["es2022", "dom", "dom.iterable"], esModuleInterop: true },
      svelte: { target: "es2023", allowJs: true, checkJs: true, esModuleInterop: true },
    };
    const example = await readFile(join(root, "examples", "nextjs", "app", "session.ts"), "utf8");
    const ofVite = example.replaceAll("process.env.NEXT_PUBLIC_", "import.meta.env.VITE_");
    const files = { "session.ts": `${ofVite}${page}` };
    const home = await project();
    for (const [name, options] of Object.entries(templates)) {
      const stdout = await compilerOutput(home, files, { compilerOptions: { ...shared, ...options } });
      expect({ [name]: stdout }).toEqual({ [name]: "" });
    }
  });

  /** Names that exist in pages and not in Node. */
  const ofBrowser = /\b(localStorage|sessionStorage|location)\b/;

  it.each([
    {
      name: "of a server, with the types of Node and no DOM",
      lib: ["es2022"],
      types: ["node"],
      isPage: false,
    },
    { name: "of a page, with the DOM and no types of Node", lib: ["es2022", "dom"], types: [], isPage: true },
  ])("check in the README's blocks $name", async ({ lib, types, isPage }) => {
    const readme = await readFile(join(root, "README.md"), "utf8");
    const chosen = blocksOf(readme).filter((code) => ofBrowser.test(code) === isPage);
    expect(chosen.length).toBeGreaterThan(0);
    const files = Object.fromEntries(chosen.map((code, index) => [`block-${index}.ts`, code]));
    const compilerOptions = {
      ...{ ...strict, noUncheckedIndexedAccess: true, module: "nodenext" },
      ...{ lib, types, typeRoots: [join(root, "node_modules", "@types")] },
    };
    expect(await compilerOutput(await project(), files, { compilerOptions })).toBe("");
  });
});

const page = `
import { SessionError } from "baanx-session";
const { state, current, pending } = session;
export const shown: string = [state, current?.userId, pending, import.meta.env.MODE].join();
export const hold = (): void => {
  using held = createSession({ ...api, renew: async () => null });
  void held.end().then(({ server, error }) => server === "unconfirmed" && error instanceof SessionError);
};
// @ts-expect-error the client key is required
createSession({ baseUrl: api.baseUrl });
`;

const consumer = `import { createBindings, createSession, type SessionEnd, SessionError, webStorageStore } from "baanx-session";
import { postgresStore, POSTGRES_TABLE } from "baanx-session/postgres";
import { useSession } from "baanx-session/react";
import { redisStore } from "baanx-session/redis";
import { createSandbox, type RunningSandbox, startSandbox } from "baanx-session/sandbox";
import { unstorageStore } from "baanx-session/unstorage";

const options = { baseUrl: "https://dev.api.baanx.com", clientKey: "key" };
const session = createSession({ ...options, store: webStorageStore(() => localStorage) });
const end: SessionEnd = await session.end();
export const code: string | undefined = end.error instanceof SessionError ? end.error.code : end.refreshToken;

const table: string = POSTGRES_TABLE;
const pool = { query: async (_sql: string, _values: string[]) => ({ rows: [{ table }] }) };
const hash = { hgetall: async () => ({}), hset: async () => 1, hdel: async () => 1, expire: async () => 1 };
const items = { getKeys: async () => [], getItem: async () => null, setItem: async () => {}, removeItem: async () => {} };
for (const store of [postgresStore(pool, "one"), redisStore(hash, "one"), unstorageStore(items, "one")])
  createSession({ ...options, store });
const shown = useSession(session);
export const user: string | undefined = shown.current?.userId;

const { data } = await session.client.GET("/v1/user");
export const id: string | undefined = data?.id;
// @ts-expect-error the session ends by its own methods only
session.client.POST("/v1/auth/logout");
// @ts-expect-error the client key is required
createSession({ baseUrl: "https://dev.api.baanx.com" });

const login = await createBindings(options).POST("/v1/auth/login", { body: { email: "a@example.com", password: "p" } });
export const token: string | null | undefined = login.data?.accessToken;

const sandbox = createSandbox({ now: () => 0 });
createSession({ ...options, fetch: sandbox.fetch });
sandbox.misbehave({ status: 503, times: 1 });
// @ts-expect-error an unknown field of a fault
sandbox.misbehave({ statuses: 503 });
const running: RunningSandbox = await startSandbox({ port: 0 });
export const address: string = running.url;
`;
