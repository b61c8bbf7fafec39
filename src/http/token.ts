/**
 * The word that opens the dashboard.
 *
 * It is sent in `Authorization`, which unlike a cookie no other page can add, and no other server on
 * this host gets to see.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import type { HttpRequest } from "./request.ts";

/** Returns a new token: 256 bits. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Tells whether the request has the token. */
export function hasToken({ headers }: HttpRequest, token: string): boolean {
  const [, given] = /^Bearer ([\x21-\x7e]+)$/.exec(headers.get("authorization") ?? "") ?? [];
  // How long it is, is no secret.
  return given?.length === token.length && timingSafeEqual(encode(given), encode(token));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
