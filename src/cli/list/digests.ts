/**
 * SHA-256 digests, each with a mark of one bit, in 32 bytes of memory each at most, where a Map of texts would take four
 * times that: a journal can be as long as the longest list. It keeps 127 bits of each, which no two tokens of
 * any list share by chance.
 */

const WORDS = 4;

/** The word whose lowest bit is the mark. */
const MARKED = WORDS - 1;

const isSame = (a: number, b: number, index: number) => (index === MARKED ? (a ^ b) >>> 1 === 0 : a === b);

export interface DigestMap {
  /** The first mark of a digest stays. */
  add(digest: Uint8Array, mark: boolean): void;
  /** Undefined for a digest that is not there. */
  markOf(digest: Uint8Array): boolean | undefined;
  readonly size: number;
}

export function createDigestMap(): DigestMap {
  let slots = 1_024;
  let table = new Uint32Array(slots * WORDS);
  let size = 0;

  /** Where these words are, whatever their mark, or where they would go: the first free slot. */
  function find(words: Uint32Array): { at: number; isThere: boolean } {
    const [first = 0] = words;
    for (let slot = first % slots; ; slot = (slot + 1) % slots) {
      const at = slot * WORDS;
      const there = table.subarray(at, at + WORDS);
      if (there.every((word) => word === 0)) return { at, isThere: false };
      if (there.every((word, index) => isSame(word, words[index] ?? 0, index))) return { at, isThere: true };
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
    add(digest, mark) {
      const words = wordsOf(digest);
      words[MARKED] = ((words[MARKED] ?? 0) & ~1) | Number(mark);
      insert(words);
    },
    markOf(digest) {
      const { at, isThere } = find(wordsOf(digest));
      return isThere ? ((table[at + MARKED] ?? 0) & 1) === 1 : undefined;
    },
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
