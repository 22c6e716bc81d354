/** The session in components on a server; in a page they are tested by the browser suite. */
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
import { useSession } from "../src/react.ts";
import { setup } from "./support.ts";
import { svelte } from "./svelte.ts";

it("renders on a server as a page does before it has read its storage, whatever the session is", async () => {
  const { session, startLogin } = setup();
  const Show = () => {
    const { state, pending } = useSession(session);
    return createElement("p", null, `${state}, ${pending} pending`);
  };
  expect(renderToString(createElement(Show))).toBe("<p>restoring, 0 pending</p>");
  await startLogin();
  expect(session.state).toBe("active");
  expect(renderToString(createElement(Show))).toBe("<p>restoring, 0 pending</p>");
});

it("renders by Vue what a page hydrates, whatever the session is", async () => {
  const { session, startLogin } = setup();
  await startLogin();
  const app = createSSRApp({
    setup() {
      const { state, pending } = useSessionInVue(session);
      return () => h("p", `${state.value}, ${pending.value} pending`);
    },
  });
  expect(await renderVue(app)).toBe("<p>restoring, 0 pending</p>");
});

it("renders by Svelte a session that has read no storage", async () => {
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
    const { body } = render(SessionState, { props: { session: setup().session } });
    expect(body).toContain("<p>restoring, 0 pending</p>");
  } finally {
    await rm(folder, { recursive: true });
  }
});
