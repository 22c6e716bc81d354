/** The network of this page: a switch that simulates being offline, and a report of each request. */

/** A request as it went over the wire. It holds the last four characters of a token, and no body. */
export interface SentRequest {
  method: string;
  path: string;
  /** Such as `Bearer …k3Zd`. */
  credentials: string;
  /** The status of the answer, or the reason for its absence. */
  answer: Promise<string>;
}

let isOffline = false;
let report = (_request: SentRequest): void => {};

/** @param listener - called with each request when it is sent, or would have been */
export function onRequest(listener: typeof report): void {
  report = listener;
}

export const simulatedFetch: typeof fetch = (input, init) => {
  const request = input instanceof Request ? input : undefined;
  const response = isOffline ? Promise.reject(new TypeError("Simulated: offline")) : fetch(input, init);
  const answer = isOffline
    ? "not sent: offline"
    : response.then(
        ({ status }) => String(status),
        ({ name }) => (name === "AbortError" ? "aborted" : "no answer"),
      );
  report({
    method: init?.method ?? request?.method ?? "GET",
    path: new URL(request?.url ?? String(input), location.href).pathname,
    credentials: shortened(new Headers(init?.headers ?? request?.headers).get("authorization")),
    answer: Promise.resolve(answer),
  });
  return response;
};

const shortened = (header: string | null) => header?.replace(/^(\S+ ).*(.{4})$/, "$1…$2") ?? "";

export function setOffline(offline: boolean): void {
  isOffline = offline;
  // A browser sends this event too, and the session retries its pending endings.
  if (!offline) dispatchEvent(new Event("online"));
}
