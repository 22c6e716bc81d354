/** The page: who is signed in, the sign-in and the sign-out. Both work without a script. */
import { fail, redirect } from "@sveltejs/kit";
import { logIn } from "$lib/server/sessions";
import type { Actions, PageServerLoad } from "./$types";

const COOKIE = "session";
/** SvelteKit adds `secure`, but on http://localhost. */
const cookie = { path: "/", httpOnly: true, sameSite: "strict" } as const;

export const load: PageServerLoad = async ({ locals: { session } }) => {
  await session.ready();
  if (session.state !== "active") return { isSignedIn: false, email: undefined };
  const { data } = await session.client.GET("/v1/user").catch(() => ({ data: undefined }));
  // The token may have been refused just now. Any other failure, or no answer, says nothing about the session.
  return { isSignedIn: session.state === "active", email: data?.email };
};

export const actions: Actions = {
  async login({ request, cookies, locals: { session } }) {
    const fields = await request.formData();
    const name = await logIn(String(fields.get("email")), String(fields.get("password")));
    if (typeof name === "number") return fail(name, { problem: "You could not be signed in." });
    // The cookie of the session before is replaced, so it could not be ended later.
    await session.end();
    cookies.set(COOKIE, name, cookie);
    redirect(303, "/");
  },
  async logout({ cookies, setHeaders, locals: { session } }) {
    const { server } = await session.end();
    cookies.delete(COOKIE, cookie);
    // No part of the session is in the browser, so no pending ending is deleted with its storage.
    setHeaders({ "clear-site-data": '"cache", "storage"' });
    return { ended: server };
  },
};
