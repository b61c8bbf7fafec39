/**
 * HMAC-SHA256 (RFC 2104), by a library where there is one: every INIT that anybody sends costs one.
 *
 * @module
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** Returns the 32 bytes for `data` under `key`. */
export type Mac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

/** The one that is always available. */
export const NOBLE_MAC: Mac = (key, data) => hmac(sha256, key, data);
