/** Call this in the body of a file: its tests run in the explorer's virtual time. */
import { afterAll, beforeAll } from "vitest";
import * as clock from "./explore/clock.ts";

export function useVirtualTime() {
  let restore = () => {};
  beforeAll(() => {
    restore = clock.useVirtualTime();
  });
  afterAll(() => restore());
}
