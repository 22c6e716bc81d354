/** The switch "Simulate being offline": a fetch that sends nothing while it is on, and fails as one does without a network. */
let isOffline = false;

export const simulatedFetch: typeof fetch = async (input, init) => {
  if (isOffline) throw new TypeError("Simulated: offline");
  return fetch(input, init);
};

export function setOffline(offline: boolean): void {
  isOffline = offline;
  // As a browser does, and what the session goes by: it tries again what is pending.
  if (!offline) dispatchEvent(new Event("online"));
}
