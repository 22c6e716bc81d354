/** The session in Vue: what it shows, for components. */
import type { Session, SessionState } from "baanx-session";
import { onMounted, onUnmounted, type Ref, readonly, ref } from "vue";

export interface SessionRefs {
  /** `restoring` until the component is mounted, as a server renders it. */
  state: Readonly<Ref<SessionState>>;
  /** How many endings the server has not confirmed yet. */
  pending: Readonly<Ref<number>>;
}

/** Follows a session that was made outside of components. Call `session.ready()` once, as in the root's `onMounted`. */
export function useSession(session: Pick<Session, "subscribe" | "state" | "pending">): SessionRefs {
  const state = ref<SessionState>("restoring");
  const pending = ref(0);
  const read = () => {
    state.value = session.state;
    pending.value = session.pending;
  };
  let stop = () => {};
  onMounted(() => {
    stop = session.subscribe(read);
    read();
  });
  onUnmounted(() => stop());
  return { state: readonly(state), pending: readonly(pending) };
}
