/** Endings as metrics of OpenTelemetry: how many by outcome, and how long they took. Few values for each attribute. */
import type { Attributes, Meter } from "@opentelemetry/api";
import type { ServerEnd, Session, SessionEnd } from "baanx-session";

export interface EndingMetrics {
  /** Counts the endings of a session, and times those that begin while it is followed. Returns what ends it. */
  follow(session: Pick<Session, "subscribe" | "pending">): () => void;
  /** Counts an ending that no session tells of: what `endSession` resolves to, and the seconds that it took. */
  record(end: ServerEnd, seconds: number): void;
}

export function createEndingMetrics(meter: Meter): EndingMetrics {
  const endings = meter.createCounter("baanx.session.endings", {
    description: "Attempts to end a session that are over.",
    unit: "{ending}",
  });
  const durations = meter.createHistogram("baanx.session.ending.duration", {
    description: "From the sign-out until the server has answered, or the deadline is over.",
    unit: "s",
    advice: { explicitBucketBoundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  return {
    follow(session) {
      /** When the one ending under way began, in ms. */
      let begun: number | undefined;
      return session.subscribe(({ type, reason, end }) => {
        // Beside others that wait, nobody can tell whose time it is.
        if (type === "signed-out" && reason === "ended" && session.pending <= 1) begun = performance.now();
        else if (type === "signed-out" || type === "started") begun = undefined;
        // What another tab has settled is counted there.
        if (!end || reason === "elsewhere") return;
        const attributes = attributesOf(end);
        endings.add(1, attributes);
        if (begun !== undefined) durations.record((performance.now() - begun) / 1_000, attributes);
        begun = undefined;
      });
    },
    record(end, seconds) {
      endings.add(1, attributesOf(end));
      durations.record(seconds, attributesOf(end));
    },
  };
}

/** `error.type` is the name that OpenTelemetry has for a class of errors. */
function attributesOf({ endpoint, server, error, ...rest }: ServerEnd | SessionEnd): Attributes {
  return {
    endpoint,
    server,
    ...("local" in rest && { local: rest.local }),
    ...(error && { "error.type": error.code }),
  };
}
