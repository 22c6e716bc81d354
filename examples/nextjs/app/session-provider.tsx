"use client";

/** Restores the session once, for all pages of the layout. */
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { session } from "./session";

export function SessionProvider({ children }: { children: ReactNode }) {
  const router = useRouter();
  useEffect(() => {
    void session.ready();
    // Pages in the router's cache may show data of the user who has left.
    return session.subscribe(({ type }) => {
      if (type === "signed-out") router.refresh();
    });
  }, [router]);
  return children;
}
