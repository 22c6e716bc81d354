/** Gives each request the session that its cookie names, as `event.locals.session`. */
import type { Handle } from "@sveltejs/kit";
import { sessionOf } from "$lib/server/sessions";

export const handle: Handle = async ({ event, resolve }) => {
  event.locals.session = sessionOf(event.cookies.get("session"));
  const response = await resolve(event);
  // Pages of a user must not come back from a cache after the sign-out.
  response.headers.set("cache-control", "no-store");
  return response;
};
