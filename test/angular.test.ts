/** The signals of `examples/angular`, in an injector of Angular's own. */
import {
  createEnvironmentInjector,
  type EnvironmentInjector,
  Injector,
  PLATFORM_ID,
  runInInjectionContext,
} from "@angular/core";
import { expect, it } from "vitest";
import { injectSession } from "../examples/angular/inject-session.ts";
import { setup } from "./support.ts";

function signalsOf(platform: "browser" | "server") {
  const world = setup();
  const providers = [{ provide: PLATFORM_ID, useValue: platform }];
  const injector = createEnvironmentInjector(providers, Injector.NULL as EnvironmentInjector);
  const signals = runInInjectionContext(injector, () => injectSession(world.session));
  const view = () => ({
    state: signals.state(),
    grant: signals.current()?.grant,
    pending: signals.pending(),
  });
  return { ...world, injector, view };
}

it("updates Angular's signals with the session, until the component is destroyed", async () => {
  const { session, startLogin, provider, injector, view } = signalsOf("browser");
  await startLogin();
  expect(view()).toEqual({ state: "active", grant: "login", pending: 0 });
  provider.misbehave({ path: "/v1/auth/logout", status: 403, times: 1 });
  await session.end();
  expect(view()).toEqual({ state: "signed-out", grant: undefined, pending: 1 });
  injector.destroy();
  await startLogin();
  expect(view().state).toBe("signed-out");
});

it("gives Angular on a server the values of a page that has not read its store", async () => {
  const { startLogin, view } = signalsOf("server");
  await startLogin();
  expect(view()).toEqual({ state: "restoring", grant: undefined, pending: 0 });
});
