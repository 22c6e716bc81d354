/** Runs before the route handlers; it was called middleware before Next.js 16. Only pages of this site may call `/auth`. */
import { type NextRequest, NextResponse } from "next/server";

export const config = { matcher: "/auth/:path*" };

export function proxy(request: NextRequest): NextResponse {
  const isOwn = request.headers.get("sec-fetch-site") === "same-origin";
  return isOwn ? NextResponse.next() : NextResponse.json({ error: "another site" }, { status: 403 });
}
