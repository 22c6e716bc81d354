/** `useSession` on a server; in a page it is tested by the browser suite. */
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, it } from "vitest";
import { useSession } from "../src/react.ts";
import { setup } from "./support.ts";

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
