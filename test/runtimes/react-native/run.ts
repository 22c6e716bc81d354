/**
 * Runs the scenario with React Native's own fetch, Request, URL and AbortController, from its source, in a context without
 * Node's globals. The engine is V8, not Hermes.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import type { Plugin } from "esbuild";
import type { BuiltPackage } from "../../built.ts";
import { bundle } from "../../bundle.ts";
import type { Ran } from "../runtimes.ts";
import type { Settings } from "../scenario.ts";
import { createNativeModules } from "./native.ts";

const main = (isOldUrl: boolean) => `
  import "react-native/Libraries/Core/setUpXHR";
  ${isOldUrl ? 'import { differs } from "./runtimes/react-native/old-url.ts";' : 'const differs = "";'}
  import { version } from "react-native/Libraries/Core/ReactNativeVersion";
  import events from "react-native/Libraries/EventEmitter/RCTDeviceEventEmitter";
  import { run } from "./runtimes/scenario.ts";
  connect((event, args) => events.emit(event, args));
  const name = "React Native " + version.major + "." + version.minor + differs;
  run().then(
    (outcome) => finish(JSON.stringify({ version: name, outcome })),
    (error) => fail(String(error && error.stack)),
  );`;

export async function runInReactNative(
  modules: string,
  built: BuiltPackage,
  settings: Settings,
  { isOldUrl = false } = {},
): Promise<Ran> {
  const code = await bundle(main(isOldUrl), settings, built, {
    format: "iife",
    plugins: [withoutTypes(modules)],
    nodePaths: [modules],
    resolveExtensions: [".ios.js", ".js", ".ts"],
    mainFields: ["main"],
    define: { __DEV__: "false", "process.env.NODE_ENV": '"production"' },
  });
  return new Promise((resolve, reject) => {
    let tell = (_event: string, _args: readonly unknown[]) => {};
    const native = createNativeModules((event, args) => tell(event, args));
    const context = createContext({
      // React Native gets these from its engine or its native part.
      console,
      setTimeout,
      clearTimeout,
      performance: { now: () => performance.now() },
      navigator: { product: "ReactNative" },
      nativeModuleProxy: native,
      // Messages between this file and the code in the context.
      connect: (listener: typeof tell) => {
        tell = listener;
      },
      finish: (json: string) => resolve(JSON.parse(json)),
      fail: (stack: string) => reject(new Error(stack)),
    });
    runInContext("globalThis.global = globalThis.self = globalThis.window = globalThis;", context);
    runInContext(code, context, { filename: "react-native-scenario.js" });
  });
}

/** Removes Flow's types, with which React Native is written. */
function withoutTypes(modules: string): Plugin {
  const strip: (source: string, options: { all: boolean }) => object = createRequire(join(modules, "x.js"))(
    "flow-remove-types",
  );
  return {
    name: "flow",
    setup({ onLoad }) {
      onLoad({ filter: /node_modules[/\\]react-native[/\\].*\.js$/ }, async ({ path }) => ({
        contents: String(strip(await readFile(path, "utf8"), { all: true })),
        loader: "js",
      }));
    },
  };
}
