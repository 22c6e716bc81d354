/**
 * Seals tokens with AES-256-GCM, and names them by a keyed digest. The keys come from the environment and are not in
 * Redis. A token that was sealed for one environment of the API does not open for another.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** The environment that a token is sealed for; it opens for no other. */
export interface Place {
  baseUrl: string;
  grant: "login" | "oauth";
  region: "international" | "us";
}

export interface Seal {
  close(accessToken: string, place: Place): string;
  /** @throws Error, which quotes nothing: an unknown key, another place, or an altered string */
  open(sealed: string, place: Place): string;
  /** Names a token in its place: always the same name for the same token. Checking a guess takes the key. */
  digest(accessToken: string, place: Place): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY = /^[0-9a-f]{64}$/i;
/** A random key has fewer different bytes only once in 10^16; zeros and other placeholders always have. */
const LEAST_BYTES = 16;

/**
 * @param keys - 64 hexadecimal digits each, with commas between them: the first seals, all of them open. A new key is
 * put in front of the old one, which can go when no job is older.
 * @throws Error, which quotes no key
 */
export function createSeal(keys: string | undefined): Seal {
  const texts = keys?.split(",").map((key) => key.trim()) ?? [];
  if (texts.length === 0 || !texts.every((key) => KEY.test(key)))
    throw new Error(
      "ENDINGS_KEY must be 64 hexadecimal digits (openssl rand -hex 32), or several such, with commas.",
    );
  const bytes = texts.map((key) => Buffer.from(key, "hex"));
  if (bytes.some((key) => new Set(key).size < LEAST_BYTES))
    throw new Error("ENDINGS_KEY must be random: make one with openssl rand -hex 32.");
  const parts = bytes.map((key) => ({
    sealing: derived(key, "seal"),
    naming: derived(key, "name"),
  }));
  const [{ sealing, naming }] = parts as [(typeof parts)[0]];

  return {
    close(accessToken, place) {
      // Random: far fewer than 2^32 tokens are sealed with one key (NIST SP 800-38D, section 8.3).
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", sealing, iv).setAAD(bytesOf(place));
      const text = Buffer.concat([cipher.update(accessToken, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64");
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, "base64");
      for (const { sealing } of parts) {
        try {
          const iv = bytes.subarray(0, IV_BYTES);
          const options = { authTagLength: TAG_BYTES };
          const decipher = createDecipheriv("aes-256-gcm", sealing, iv, options)
            .setAAD(bytesOf(place))
            .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
          const text = bytes.subarray(IV_BYTES + TAG_BYTES);
          return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
        } catch {}
      }
      throw new Error("sealed: with a key that is not in ENDINGS_KEY, or for another BAANX_BASE_URL");
    },
    digest: (accessToken, place) =>
      createHmac("sha256", naming).update(bytesOf(place)).update(accessToken).digest("hex"),
  };
}

/** One key for each use. */
const derived = (key: Buffer, use: string) =>
  Buffer.from(hkdfSync("sha256", key, "", `baanx-session ${use}`, 32));

/** The same bytes for each form of the URL. */
const bytesOf = ({ baseUrl, grant, region }: Place) =>
  Buffer.from(JSON.stringify([new URL(baseUrl).href.replace(/\/+$/, ""), grant, region]));
