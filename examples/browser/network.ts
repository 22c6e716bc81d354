/** The switch "Simulate being offline": while it is on, fetch sends nothing and fails as it does without a network. */
let isOffline = false;

export const simulatedFetch: typeof fetch = async (input, init) => {
  if (isOffline) throw new TypeError("Simulated: offline");
  return fetch(input, init);
};

export function setOffline(offline: boolean): void {
  isOffline = offline;
  // A browser sends this event too, and the session retries its pending endings.
  if (!offline) dispatchEvent(new Event("online"));
}
