/**
 * Tells a file of mlvpn from one of aggvpn, which is read by the same people.
 *
 * @module
 */

import { MLVPN_KEYS } from "../../config/schema.ts";
import { readMlvpn } from "./file.ts";

/** Options that both have by the same name say nothing. */
const TELLING: ReadonlySet<string> = new Set([
  ...Object.keys(MLVPN_KEYS),
  "tuntap",
  "cleartext_data",
  "reorder_buffer_size",
  "control_bind_host",
  "control_bind_port",
]);
/** Tables that only a configuration of aggvpn has. */
const OWN = /^(?:tunnel$|link\.|client\.)/;
/** A mistaken key is explained by itself. */
const ENOUGH = 2;

/** Tells whether a text is most likely a file of mlvpn: it has several options that only that has. */
export function isMlvpnFile(text: string): boolean {
  const { options } = readMlvpn(text, true);
  if (options.some(({ section }) => OWN.test(section))) return false;
  const keys = options.map(({ key }) => key);
  return new Set(keys.filter((key) => TELLING.has(key))).size >= ENOUGH;
}
