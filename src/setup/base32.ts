/**
 * Bytes as letters and digits that survive being read aloud, typed, and pasted with line breaks:
 * Crockford's base 32, where case does not count and neither do the letters that look like digits.
 *
 * Texts of it fit the alphanumeric mode of QR codes, which makes those small.
 *
 * @module
 */

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS = 5;

/** Writes bytes; the last digit is filled up with zeros. */
export function formatBase32(bytes: Uint8Array): string {
  let text = "";
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = value << 8 | byte;
    for (bits += 8; bits >= BITS; bits -= BITS) text += DIGITS[value >> bits - BITS & 31];
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + DIGITS[value << BITS - bits & 31];
}

/** What {@linkcode parseBase32} finds: bytes, or the first letter that is none of its digits. */
export type Base32Result = { readonly bytes: Uint8Array } | { readonly wrong: string };

/** Reads what {@linkcode formatBase32} writes, in either case, O for 0, and I and L for 1. */
export function parseBase32(text: string): Base32Result {
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const letter of text.toUpperCase()) {
    const digit = DIGITS.indexOf(letter === "O" ? "0" : /[IL]/.test(letter) ? "1" : letter);
    if (digit < 0) return { wrong: letter };
    value = value << BITS | digit;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(value >> bits & 0xff);
    value &= (1 << bits) - 1;
  }
  return { bytes: Uint8Array.from(bytes) };
}

/** Digits for so many bytes. */
export function base32Length(byteLength: number): number {
  return Math.ceil(8 * byteLength / BITS);
}
