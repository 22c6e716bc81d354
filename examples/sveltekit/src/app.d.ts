import type { Session } from "baanx-session";

declare global {
  namespace App {
    interface Locals {
      session: Session;
    }
  }
}
