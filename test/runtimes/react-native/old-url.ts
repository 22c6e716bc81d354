/**
 * Makes the URL of React Native what it was for most of its life: it can be made and written as text, and each
 * getter throws.
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
