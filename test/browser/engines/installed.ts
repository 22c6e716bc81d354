/** Finds each engine on this machine: at Debian's path, or at the path in an environment variable. */
import { existsSync } from "node:fs";
import type { EngineName } from "./engine.ts";

const binaries = {
  Chromium: { variable: "CHROMIUM", path: "/usr/bin/chromium", packages: "chromium" },
  Firefox: { variable: "FIREFOX", path: "/usr/bin/firefox-esr", packages: "firefox-esr" },
  WebKit: {
    variable: "WEBKIT_DRIVER",
    path: "/usr/bin/WebKitWebDriver",
    packages: "webkit2gtk-driver and xvfb",
  },
};

/** The browser for WebKit's driver. Debian installs it in a folder by architecture. */
export const miniBrowser =
  process.env["WEBKIT_BROWSER"] ??
  ["x86_64", "aarch64"]
    .map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`)
    .find((path) => existsSync(path)) ??
  "MiniBrowser";

export const binaryOf = (engine: EngineName): string =>
  process.env[binaries[engine].variable] ?? binaries[engine].path;

/** Returns why an engine's tests cannot run, and prints it once. Undefined if they can. */
export function missingHere(engine: EngineName): string | undefined {
  const path = binaryOf(engine);
  if (existsSync(path)) return undefined;
  const { variable, packages } = binaries[engine];
  const missing = `${path} is missing: install Debian's ${packages}, or say in ${variable} where it is`;
  process.stderr.write(`${engine}: skipped, since ${missing}\n`);
  return missing;
}
