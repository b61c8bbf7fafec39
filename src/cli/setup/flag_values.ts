/**
 * Values of flags and answers of `init`, `join` and `client`: each function returns the value, or
 * what is wrong.
 *
 * @module
 */

import { type Family, parsePrefix, type Prefix } from "../../address.ts";
import { type HostAndPort, parseHostPort } from "../../config/host_port.ts";
import { isName, NAME_RULE } from "../../config/text_kinds.ts";
import { UsageError } from "../../errors.ts";
import type { Arguments } from "../command.ts";

/** What an answer is, or what is wrong with it. */
export type Checked<T> = T | { readonly wrong: string };

/** The name of a client. */
export function checkName(text: string): Checked<string> {
  return isName(text) ? text : { wrong: `expected ${NAME_RULE}` };
}

/** A host, with or without a port. */
export function checkHost(text: string): Checked<HostAndPort> {
  return parseHostPort(text) ?? { wrong: "expected an address or a name, such as 192.0.2.1" };
}

/** A UDP port. */
export function checkPort(text: string): Checked<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : { wrong: "expected a port from 1 to 65535" };
}

/** The network of a tunnel, with room for a few clients. */
export function checkNetwork(text: string, family: Family): Checked<Prefix> {
  const network = parsePrefix(text);
  const most = family === 4 ? 29 : 120;
  if (network?.family === family && network.length >= 8 && network.length <= most) return network;
  const sample = family === 4 ? "10.87.12.0/24" : "fd00:44:1::/64";
  return { wrong: `expected a network of IPv${family} such as ${sample}` };
}

/** Returns the value of a flag, undefined without one. Throws UsageError when it is wrong. */
export function flagValue<T>(
  { flags }: Arguments,
  name: string,
  check: (text: string) => Checked<T>,
): T | undefined {
  const text = flags[name];
  if (typeof text !== "string") return undefined;
  const result = check(text);
  if (typeof result !== "object" || result === null || !("wrong" in result)) return result as T;
  throw new UsageError(`--${name}=${text}: ${result.wrong}`);
}
