/**
 * Misbehaviour on demand: which requests a fault meets, and how its answer is lost, late, broken or replaced.
 * It knows nothing of sessions, and works the same in process and over TCP.
 */
import type { MiddlewareHandler } from "hono";

export interface Fault {
  /** Only requests with this method; default all. */
  method?: string;
  /** Only requests with exactly this path; default all. */
  path?: string;
  /** How many requests it meets before it is over; default until undone. */
  times?: number;
  /**
   * Whether the real handler runs, and so changes the state, before the answer goes wrong: `true` is "the
   * session was ended but the answer was lost", `false` is "refused before anything was done". Default: it
   * runs unless `status`, `body`, `drop` or `delay: "forever"` replaces the answer. When it runs, it runs
   * before the delay.
   */
  handled?: boolean;
  /**
   * The status of the answer: 200 to 599. 102 to 199 are sent over TCP ahead of the real answer, and fetch
   * ignores them; an unasked 100 or 101 breaks a connection of undici, so they act as `drop`.
   */
  status?: number;
  /** Headers to add to the answer, or to use instead of its own. */
  headers?: Record<string, string>;
  /**
   * The body of the answer. It is called JSON, or HTML when it begins with `<`, unless `headers` say
   * otherwise. Default with a `status` of 400 and more: a small JSON error; of less: empty.
   */
  body?: string | ((request: Request) => string | Promise<string>);
  /** Milliseconds before the answer. */
  delay?: number | "forever";
  /** The connection is dropped without an answer. */
  drop?: true;
  /** The headers announce the whole body, but only so many bytes of it come before the connection breaks. */
  truncate?: number;
  /** Milliseconds before each byte of the body. */
  trickle?: number;
}

/** Tools that the caller of the application lends it, since a `Request` and a `Response` cannot express them. */
export interface FaultBindings {
  /** Sends an informational status ahead of the answer. */
  inform?: (status: number) => void;
  /** Aborts the request, instead of the signal of the `Request`. */
  signal?: AbortSignal;
  /** Kept from the garbage collector while an answer is in flight. */
  caller?: unknown;
}

interface Answer {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
}

export function createFaults() {
  const faults: { fault: Fault; left: number }[] = [];
  // A Request that follows a signal can be collected while only that signal refers to it, and then misses
  // the abort. A connection would hold it, so this holds it as long as an answer is in flight.
  const held = new Set<unknown>();

  function misbehave(fault: Fault): () => void {
    assertUsable(fault);
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    faults.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  function take(method: string, path: string): Fault {
    const met = faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.method === undefined || fault.method.toUpperCase() === method) &&
        (fault.path === undefined || fault.path === path),
    );
    if (met === undefined) return {};
    met.left -= 1;
    return met.fault;
  }

  const middleware: MiddlewareHandler<{ Bindings: FaultBindings }> = async (c, next) => {
    const request = c.req.raw;
    const { signal = request.signal, caller = request, inform } = c.env ?? {};
    const fault = take(request.method, new URL(request.url).pathname);
    const release = () => void held.delete(caller);
    held.add(caller);
    try {
      const runs = fault.handled ?? !replacesAnswer(fault);
      if (runs) await next();
      await wait(fault.delay ?? 0, signal);
      if (drops(fault)) throw dropped();
      if (fault.status !== undefined && isInformational(fault.status)) inform?.(fault.status);
      const answer = await answerOf(fault, request, runs ? c.res : undefined);
      // Set, not returned: Hono ignores the result of a middleware once a handler has answered.
      c.res = deliver(answer, fault, signal, release);
    } catch (error) {
      release();
      throw error;
    }
  };

  return { misbehave, middleware };
}

/** The answer to send: the real one, or that of the fault. */
async function answerOf(fault: Fault, request: Request, real: Response | undefined): Promise<Answer> {
  const status = fault.status !== undefined && isInformational(fault.status) ? undefined : fault.status;
  if (real && status === undefined && fault.body === undefined) {
    const bytes = new Uint8Array(await real.arrayBuffer());
    return { status: real.status, headers: new Headers(real.headers), bytes };
  }
  const body = fault.body ?? defaultBody(status);
  const text = typeof body === "function" ? await body(request) : body;
  return {
    status: status ?? real?.status ?? 200,
    headers: new Headers(contentType(text)),
    bytes: new TextEncoder().encode(text),
  };
}

function deliver(answer: Answer, fault: Fault, signal: AbortSignal, release: () => void): Response {
  const { status, headers, bytes } = answer;
  const empty = [204, 205, 304].includes(status);
  if (!empty) headers.set("content-length", String(bytes.length));
  for (const [name, value] of Object.entries(fault.headers ?? {})) headers.set(name, value);
  if (!empty && (fault.truncate !== undefined || fault.trickle !== undefined)) {
    return new Response(brokenBody(bytes, fault, signal, release), { status, headers });
  }
  release();
  return new Response(empty ? null : bytes, { status, headers });
}

function brokenBody(
  bytes: Uint8Array<ArrayBuffer>,
  { truncate = bytes.length, trickle }: Fault,
  signal: AbortSignal,
  release: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const end = Math.min(truncate, bytes.length);
  let sent = 0;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    if (sent === end) {
      release();
      if (end < bytes.length) throw new TypeError("terminated", { cause: new Error("other side closed") });
      return controller.close();
    }
    if (trickle !== undefined) await wait(trickle, signal);
    const next = trickle === undefined ? end : sent + 1;
    controller.enqueue(bytes.subarray(sent, next));
    sent = next;
  };
  // No queue: an error would discard its content, and those bytes did arrive.
  return new ReadableStream({ pull, cancel: release }, { highWaterMark: 0 });
}

/** Resolves after so many milliseconds (0: at once); rejects with the signal's reason as soon as it aborts. */
function wait(delay: number | "forever", signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  if (delay === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const onTime = () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const timer = delay === "forever" ? undefined : setTimeout(onTime, delay);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function assertUsable(fault: Fault): void {
  const { status, handled } = fault;
  if (status !== undefined && !(Number.isInteger(status) && status >= 100 && status <= 599)) {
    throw new RangeError(`A fault cannot answer with the status ${status}.`);
  }
  if (handled === false && !replacesAnswer(fault)) {
    throw new TypeError("A fault that is not handled needs a status, a body, a drop or an endless delay.");
  }
}

function replacesAnswer(fault: Fault): boolean {
  const status = fault.status !== undefined && !isInformational(fault.status);
  return status || fault.body !== undefined || drops(fault) || fault.delay === "forever";
}

function drops({ drop, status }: Fault): boolean {
  return drop === true || status === 100 || status === 101;
}

function isInformational(status: number): boolean {
  return status < 200;
}

/** The error of undici's fetch for a connection that ends without an answer. */
function dropped(): TypeError {
  return new TypeError("fetch failed", { cause: new Error("other side closed") });
}

function defaultBody(status = 200): string {
  return status < 400 ? "" : JSON.stringify({ message: `The sandbox was told to answer ${status}` });
}

function contentType(text: string): Record<string, string> {
  if (text === "") return {};
  return { "content-type": text.startsWith("<") ? "text/html; charset=utf-8" : "application/json" };
}
