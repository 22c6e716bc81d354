/**
 * A set of SHA-256 digests that takes 32 bytes of memory each at most, where a Set of texts would take four
 * times that: a journal can be as long as the longest list. It keeps 128 bits of each, which no two tokens of
 * any list share by chance.
 */

const WORDS = 4;

export interface DigestSet {
  add(digest: Uint8Array): void;
  has(digest: Uint8Array): boolean;
  readonly size: number;
}

export function createDigestSet(): DigestSet {
  let slots = 1_024;
  let table = new Uint32Array(slots * WORDS);
  let size = 0;

  /** Where these words are, or where they would go: the first free slot. */
  function find(words: Uint32Array): { at: number; isThere: boolean } {
    const [first = 0] = words;
    for (let slot = first % slots; ; slot = (slot + 1) % slots) {
      const at = slot * WORDS;
      const there = table.subarray(at, at + WORDS);
      if (there.every((word) => word === 0)) return { at, isThere: false };
      if (there.every((word, index) => word === words[index])) return { at, isThere: true };
    }
  }

  function insert(words: Uint32Array): void {
    const { at, isThere } = find(words);
    if (isThere) return;
    table.set(words, at);
    size += 1;
    if (size * 2 > slots) grow();
  }

  function grow(): void {
    const old = table;
    slots *= 2;
    table = new Uint32Array(slots * WORDS);
    size = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const words = old.subarray(at, at + WORDS);
      if (words.some((word) => word !== 0)) insert(words);
    }
  }

  return {
    add: (digest) => insert(wordsOf(digest)),
    has: (digest) => find(wordsOf(digest)).isThere,
    get size() {
      return size;
    },
  };
}

/** The first 128 bits; all zeros mean a free slot, and no digest has them. */
function wordsOf({ buffer, byteOffset }: Uint8Array): Uint32Array {
  // Read by a view: a Buffer may begin anywhere in the memory that it shares.
  const view = new DataView(buffer, byteOffset, WORDS * 4);
  return Uint32Array.from({ length: WORDS }, (_, index) => view.getUint32(index * 4));
}
