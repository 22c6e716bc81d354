/** A server component, rendered when the application is built. It knows of no user. */
import { Account } from "./account";

export default function Page() {
  return (
    <main>
      <h1>Your account</h1>
      <Account />
    </main>
  );
}
