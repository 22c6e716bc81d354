/** The time of one generation from this repository's specification, from the start of the process to its end. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { median, rounded } from "./race.ts";
import { report } from "./table.ts";

const ROUNDS = 7;

const root = resolve(import.meta.dirname, "../..");
const modules = join(import.meta.dirname, "node_modules");
const spec = join(root, "openapi/baanx-auth.openapi.yaml");
const folder = mkdtempSync(join(tmpdir(), "codegen-"));
const at = (name: string) => join(folder, name);

const contenders: { name: string; args: string[] }[] = [
  {
    name: "npm run codegen",
    args: [
      "--import",
      import.meta.resolve("tsx"),
      join(root, "src/cli.ts"),
      "codegen",
      spec,
      "--output",
      at("ours.ts"),
    ],
  },
  {
    name: "@hey-api/openapi-ts",
    args: [
      join(modules, "@hey-api/openapi-ts/dist/run.mjs"),
      "--input",
      spec,
      "--output",
      at("hey"),
      "--silent",
    ],
  },
  {
    name: "orval",
    args: [
      join(modules, "orval/dist/bin/orval.js"),
      "--input",
      spec,
      "--output",
      at("orval.ts"),
      "--client",
      "fetch",
    ],
  },
];
const laps = contenders.map(() => ({ wall: [] as number[], cpu: [] as number[] }));
try {
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { args }] of contenders.entries()) {
      const { wall, cpu } = run(args);
      laps[index]?.wall.push(wall);
      laps[index]?.cpu.push(cpu);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

const ratio = (index: number, of: "wall" | "cpu") =>
  rounded(
    median((laps[index]?.[of] ?? []).map((value, round) => value / (laps[0]?.[of][round] ?? Number.NaN))),
  );
report({
  title: "Code generation",
  note: `One process each, the start of Node included; ${ROUNDS} rounds. Ours writes types alone, the others functions too.`,
  rows: contenders.map(({ name }, index) => ({
    name,
    ms: rounded(median(laps[index]?.wall ?? [])),
    "cpu ms": rounded(median(laps[index]?.cpu ?? [])),
    "× npm run codegen": ratio(index, "wall"),
    "cpu × npm run codegen": ratio(index, "cpu"),
  })),
  targets: [],
});

function run(args: string[]) {
  const environment = { ...process.env, CPU_TIME: at("cpu"), SCARF_ANALYTICS: "false" };
  const begun = performance.now();
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--import", pathToFileURL(join(import.meta.dirname, "cpu-time.mjs")).href, ...args],
    { env: environment, encoding: "utf8", cwd: folder },
  );
  const wall = performance.now() - begun;
  if (status !== 0) throw new Error(`${args.join(" ")}\n${stdout}${stderr}`);
  return { wall, cpu: Number(readFileSync(at("cpu"), "utf8")) / 1_000 };
}
