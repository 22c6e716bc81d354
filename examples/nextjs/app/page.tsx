/** A server component, rendered when the application is built. It is the same for every user. */
import { Account } from "./account";

export default function Page() {
  return (
    <main>
      <h1>Your account</h1>
      <Account />
    </main>
  );
}
