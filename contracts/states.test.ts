/** The types that keep both sides of the contract consistent. The compiler checks them. */
import { expectTypeOf, it } from "vitest";
import type { InteractionOf } from "./consumer/interactions.ts";
import type { StateHandlers } from "./states.ts";

type Terms = Omit<InteractionOf<"an authorized OAuth client">, "state" | "clientKey">;
const known = { evidence: "documented", source: "" } as const;
const terms: Terms = { description: "", ...known, method: "GET", path: "/", status: 200 };

it("rejects a contract with a state that no provider handles", () => {
  // @ts-expect-error: no such state
  const unknown: InteractionOf<"a session that never was"> = { ...terms, state: "a session that never was" };
  expectTypeOf(unknown).not.toBeAny();
});

it("rejects a request with a value that the state does not return", () => {
  const state = "an authorized OAuth client";
  // @ts-expect-error: only an active session has an unregistered client key
  const unreturned: InteractionOf<typeof state> = { ...terms, state, clientKey: "unregisteredClientKey" };
  expectTypeOf(unreturned).not.toBeAny();
});

it("rejects a provider that leaves out a state or a value of it", () => {
  type Without = Omit<StateHandlers, "an active session">;
  expectTypeOf<Without>().not.toExtend<StateHandlers>();
  type Active = StateHandlers["an active session"];
  expectTypeOf<() => Promise<{ accessToken: string; clientKey: string }>>().not.toExtend<Active>();
});
