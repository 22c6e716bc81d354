import type { ReactNode } from "react";
import { SessionProvider } from "./session-provider";

export const metadata = { title: "baanx-session in Next.js" };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <SessionProvider>{children}</SessionProvider>
      </body>
    </html>
  );
}
