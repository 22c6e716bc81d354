/**
 * One-time passwords of authenticator apps: RFC 6238 with the parameters that every app assumes (SHA-1, 30 seconds, six
 * digits). It remembers nothing: which codes were used is known by `state.ts`.
 */
import { createHmac } from "node:crypto";

const STEP_MS = 30_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Decodes a base32 secret (RFC 4648), in any case, with or without padding.
 *
 * @throws TypeError if it is not one; the message does not quote it
 */
export function decodeSecret(base32: string): Uint8Array {
  const digits = [...base32.toUpperCase().replace(/[\s-]|=+$/g, "")].map((digit) => ALPHABET.indexOf(digit));
  if (digits.length < 2 || digits.includes(-1))
    throw new TypeError("totp must be a base32 secret: the letters A to Z and the digits 2 to 7.");
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** The number of the time step that a moment belongs to. */
export const stepAt = (ms: number): number => Math.floor(ms / STEP_MS);

/** The code of a time step. */
export function codeAt(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", secret).update(counter).digest();
  const offset = hash.readUInt8(hash.length - 1) & 15;
  const code = (hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000;
  return String(code).padStart(6, "0");
}

/** Returns which step a code belongs to: the current one or, for a clock that is off, the one before or after it. */
export function stepOfCode(secret: Uint8Array, code: string, ms: number): number | undefined {
  const now = stepAt(ms);
  return [now, now - 1, now + 1].find((step) => step >= 0 && codeAt(secret, step) === code);
}
