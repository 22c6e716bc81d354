/** Records endings as metrics of OpenTelemetry: their number by outcome, and their duration. Attributes have few values. */
import type { Attributes, Meter } from "@opentelemetry/api";
import type { ServerEnd, Session, SessionEnd } from "baanx-session";

export interface EndingMetrics {
  /** Counts the endings of a session, and times new ones. Returns the function that stops it. */
  follow(session: Pick<Session, "subscribe" | "pending">): () => void;
  /** Counts a result of `endSession`, and the seconds that it took. */
  record(end: ServerEnd, seconds: number): void;
}

export function createEndingMetrics(meter: Meter): EndingMetrics {
  const endings = meter.createCounter("baanx.session.endings", {
    description: "Finished attempts to end a session.",
    unit: "{ending}",
  });
  const durations = meter.createHistogram("baanx.session.ending.duration", {
    description: "From the sign-out until the answer of the server, or the deadline.",
    unit: "s",
    advice: { explicitBucketBoundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  return {
    follow(session) {
      /** When the ending in flight began, in ms. */
      let begun: number | undefined;
      return session.subscribe(({ type, reason, end }) => {
        // With several pending endings, the event does not say which of them it is about.
        if (type === "signed-out" && reason === "ended" && session.pending <= 1) begun = performance.now();
        else if (type === "signed-out" || type === "started") begun = undefined;
        // An ending that another tab settled is counted there.
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

/** `error.type` is OpenTelemetry's name for a class of errors. */
function attributesOf({ endpoint, server, error, ...rest }: ServerEnd | SessionEnd): Attributes {
  return {
    endpoint,
    server,
    ...("local" in rest && { local: rest.local }),
    ...(error && { "error.type": error.code }),
  };
}
