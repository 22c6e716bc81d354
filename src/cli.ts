#!/usr/bin/env node
/** The command `baanx-session`: hands its arguments to `cli/main.ts` and ends with the exit code it is given. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main, type Package } from "./cli/main.ts";

process.exitCode = await main(process.argv.slice(2), ownPackage);

/** Of the package that this file is in: `dist/` and `src/` are at the same depth. */
function ownPackage(): Package {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const pathOf = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
  return {
    version: String(version),
    specification: pathOf("openapi/baanx-auth.openapi.yaml"),
    pact: pathOf("contracts/pacts/baanx-session-baanx-auth-api.json"),
    readme: pathOf("README.md"),
  };
}
