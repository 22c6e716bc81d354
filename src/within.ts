/** Waits with an end. */

/** What a promise resolves to, or undefined when that takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T> | undefined): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | number | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when a signal is aborted; one that was aborted before does not. */
export const whenAborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined)));

/** Time for another tab or process to write down what it did before this one was refused. */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));
