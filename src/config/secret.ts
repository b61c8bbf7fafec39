/**
 * Keys and pass phrases.
 *
 * A key is written `aggvpn1:` and the base64 of its 32 bytes, so that neither
 * it nor a pass phrase is ever taken for the other: 52 characters.
 *
 * @module
 */

import type { Secret } from "./config.ts";

/** Bytes of a key. */
export const KEY_BYTES = 32;
/** What a key begins with; the digit is the version of the format. */
const KEY_PREFIX = "aggvpn1:";
/** Shorter pass phrases are refused: scrypt does not make up for them. */
const MIN_PASSWORD_LENGTH = 8;
/** Shorter pass phrases are warned about. */
const GOOD_PASSWORD_LENGTH = 12;
/** Longer ones are a mistake, such as a whole file. */
const MAX_PASSWORD_LENGTH = 1024;

/** Writes a key as `aggvpn genkey` prints it. Throws RangeError unless it has 32 bytes. */
export function formatKey(key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes`);
  return KEY_PREFIX + btoa(String.fromCharCode(...key));
}

/** Reads what {@linkcode formatKey} writes, and nothing else; undefined otherwise. */
export function parseKey(text: string): Uint8Array | undefined {
  if (!/^aggvpn1:[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  const key = Uint8Array.from(
    atob(text.slice(KEY_PREFIX.length)),
    (letter) => letter.charCodeAt(0),
  );
  // Two spellings of one key would differ in bits that base64 throws away.
  return formatKey(key) === text ? key : undefined;
}

/** A secret, or what is wrong with it; no message contains its text. */
export type SecretResult =
  | { readonly secret: Secret; readonly warning?: string }
  | { readonly error: string; readonly hint: string };

/** Reads a key or a pass phrase. */
export function parseSecret(text: string): SecretResult {
  if (text.startsWith("aggvpn1")) return readKey(text);
  const length = [...text].length;
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(text)) {
    return { error: "the pass phrase contains a control character", hint: GENKEY_HINT };
  }
  if (length > MAX_PASSWORD_LENGTH) {
    const error = `the pass phrase is longer than ${MAX_PASSWORD_LENGTH} characters`;
    return { error, hint: GENKEY_HINT };
  }
  if (length < MIN_PASSWORD_LENGTH) {
    const found = length === 0 ? "none" : `${length}`;
    const error =
      `expected a key or a pass phrase of at least ${MIN_PASSWORD_LENGTH} characters, found ${found}`;
    return { error, hint: GENKEY_HINT };
  }
  const secret = { password: text };
  if (length >= GOOD_PASSWORD_LENGTH) return { secret };
  return { secret, warning: `a pass phrase of ${length} characters can be guessed` };
}

/** What to do about every problem with a secret. */
export const GENKEY_HINT = "make a key with `aggvpn genkey` and use it on both ends";

function readKey(text: string): SecretResult {
  const key = parseKey(text);
  if (key) return { secret: { key } };
  return {
    error: `expected "${KEY_PREFIX}" and 44 characters of base64, found a damaged key`,
    hint: "copy the whole line that `aggvpn genkey` printed",
  };
}
