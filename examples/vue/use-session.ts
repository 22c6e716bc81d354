/** A session in Vue components. */
import type { CurrentSession, Session, SessionState } from "baanx-session";
import { onMounted, onUnmounted, type Ref, readonly, ref, shallowRef } from "vue";

export interface SessionRefs {
  /** `restoring` until the component is mounted, as a server renders it. */
  state: Readonly<Ref<SessionState>>;
  /** The session that is active, without its tokens. */
  current: Readonly<Ref<CurrentSession | undefined>>;
  /** Number of endings that the server has not confirmed yet. */
  pending: Readonly<Ref<number>>;
}

/** Follows a session that was created outside of components. Call `session.ready()` once, as in the root's `onMounted`. */
export function useSession(
  session: Pick<Session, "subscribe" | "state" | "current" | "pending">,
): SessionRefs {
  const state = ref<SessionState>("restoring");
  const current = shallowRef<CurrentSession>();
  const pending = ref(0);
  const read = () => {
    state.value = session.state;
    current.value = session.current;
    pending.value = session.pending;
  };
  let stop = () => {};
  onMounted(() => {
    stop = session.subscribe(read);
    read();
  });
  onUnmounted(() => stop());
  return { state: readonly(state), current, pending: readonly(pending) };
}
