/**
 * Restores the URL of older React Native versions: it can be created and converted to a string, but each getter throws.
 */
for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(URL.prototype))) {
  if (!get) continue;
  Object.defineProperty(URL.prototype, name, {
    get() {
      throw new Error(`URL.${name} is not implemented`);
    },
  });
}

export const differs = thrownBy(() => new URL("https://example.com/").host) ? " with an old URL" : "";

function thrownBy(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
