/** The types that keep both sides of the contract together: checked by the compiler, and told here. */
import { expectTypeOf, it } from "vitest";
import type { InteractionOf } from "./consumer/interactions.ts";
import type { StateHandlers } from "./states.ts";

type Terms = Omit<InteractionOf<"an authorized OAuth client">, "state" | "clientKey">;
const known = { evidence: "documented", source: "" } as const;
const terms: Terms = { description: "", ...known, method: "GET", path: "/", status: 200 };

it("a state that no provider handles cannot be used by a contract", () => {
  // @ts-expect-error: no such state
  const unknown: InteractionOf<"a session that never was"> = { ...terms, state: "a session that never was" };
  expectTypeOf(unknown).not.toBeAny();
});

it("a value that a state does not return cannot be sent", () => {
  const state = "an authorized OAuth client";
  // @ts-expect-error: only an active session comes with a key that is not registered
  const unreturned: InteractionOf<typeof state> = { ...terms, state, clientKey: "unregisteredClientKey" };
  expectTypeOf(unreturned).not.toBeAny();
});

it("a provider that leaves out a state, or a value of it, does not compile", () => {
  type Without = Omit<StateHandlers, "an active session">;
  expectTypeOf<Without>().not.toExtend<StateHandlers>();
  type Active = StateHandlers["an active session"];
  expectTypeOf<() => Promise<{ accessToken: string; clientKey: string }>>().not.toExtend<Active>();
});
