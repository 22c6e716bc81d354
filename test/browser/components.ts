/** A page of React, Vue and Svelte: each shows the session; React and Vue hydrate the output of a server. */
import "./app.ts";
import { useSession } from "baanx-session/react";
import { createElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { mount } from "svelte";
import { createSSRApp, h } from "vue";
import SessionState from "../../examples/svelte/SessionState.svelte";
import { useSession as useSessionInVue } from "../../examples/vue/use-session.ts";

declare global {
  interface Window {
    /** Errors that a framework reported. */
    problems: string[];
  }
}

const { session } = window;
window.problems = [];
const complain = (error: unknown) => window.problems.push(String(error));

/** Adds an element with the output of a server, which has not read any storage. */
function placeFor(framework: string, rendered: string): HTMLElement {
  const place = document.createElement("section");
  place.id = framework;
  place.innerHTML = rendered;
  document.body.append(place);
  return place;
}

const Show = () => {
  const { state, current, pending } = useSession(session);
  return createElement("p", null, `${state} ${current?.userId ?? ""}, ${pending} pending`);
};
const rendered = "<p>restoring , 0 pending</p>";
hydrateRoot(placeFor("react", rendered), createElement(Show), { onRecoverableError: complain });

const app = createSSRApp({
  setup() {
    const { state, current, pending } = useSessionInVue(session);
    return () => h("p", `${state.value} ${current.value?.userId ?? ""}, ${pending.value} pending`);
  },
});
console.error = complain;
app.config.errorHandler = complain;
app.mount(placeFor("vue", rendered));

mount(SessionState, { target: placeFor("svelte", ""), props: { session } });
