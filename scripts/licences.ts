/** Part of `npm run build`: copies the licences of bundled packages, which must be distributed with them. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundled } from "./bundled.ts";

const root = resolve(import.meta.dirname, "..");

const texts = bundled.map((name) => {
  const home = join(root, "node_modules", name);
  const { version }: { version: string } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const file = readdirSync(home).find((file) => /^licen[cs]e/i.test(file));
  if (!file) throw new Error(`The licence file of ${name} is missing.`);
  return `${name} ${version}\n\n${readFileSync(join(home, file), "utf8").trim()}\n`;
});

writeFileSync(join(root, "dist", "LICENCES.txt"), texts.join(`\n${"-".repeat(72)}\n\n`));
