/** Components that show a session, rendered on a server. The browser suite tests them in a page. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { render } from "svelte/server";
import { expect, it } from "vitest";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import { useSession as useSessionInVue } from "../examples/vue/use-session.ts";
import { memoryStore } from "../src/index.ts";
import { useSession } from "../src/react.ts";
import { setup } from "./support.ts";
import { svelte } from "./svelte.ts";

it("renders with React on a server the values that a page hydrates with, also of an active session", async () => {
  const { session, startLogin } = setup();
  const Show = () => {
    const { state, current, pending } = useSession(session);
    return createElement("p", null, `${state} ${current?.userId}, ${pending} pending`);
  };
  expect(renderToString(createElement(Show))).toBe("<p>restoring undefined, 0 pending</p>");
  await startLogin();
  expect(session).toMatchObject({ state: "active", current: { grant: "login" } });
  expect(renderToString(createElement(Show))).toBe("<p>restoring undefined, 0 pending</p>");
});

it("renders with Vue the values that a page hydrates with, also of an active session", async () => {
  const { session, startLogin } = setup();
  await startLogin();
  const app = createSSRApp({
    setup() {
      const { state, current, pending } = useSessionInVue(session);
      return () => h("p", `${state.value} ${current.value?.userId}, ${pending.value} pending`);
    },
  });
  expect(await renderVue(app)).toBe("<p>restoring undefined, 0 pending</p>");
});

it("renders with Svelte a session that has not read its store", async () => {
  const folder = await mkdtemp(join(import.meta.dirname, "..", "node_modules", ".svelte-"));
  try {
    const outfile = join(folder, "component.mjs");
    const entryPoints = [join(import.meta.dirname, "../examples/svelte/SessionState.svelte")];
    const { warnings } = await build({
      entryPoints,
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      plugins: [svelte("server")],
      logLevel: "silent",
    });
    expect(warnings).toEqual([]);
    const { default: SessionState } = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
    const { body } = render(SessionState, { props: { session: setup({ store: memoryStore() }).session } });
    expect(body).toContain("<p>restoring , 0 pending</p>");
  } finally {
    await rm(folder, { recursive: true });
  }
});
