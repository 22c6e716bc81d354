declare module "*.svelte" {
  import type { Session } from "baanx-session";
  import type { Component } from "svelte";

  const component: Component<{ session: Session }>;
  export default component;
}
