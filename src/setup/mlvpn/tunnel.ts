/**
 * The `[tunnel]` table of a file of mlvpn.
 *
 * @module
 */

import { type Address, type Family, parseAddress, parsePrefix, Prefix } from "../../address.ts";
import type { Draft } from "./draft.ts";
import { GENERAL } from "./file.ts";
import type { Settings } from "./settings.ts";

/** The name that mlvpn gives its interface when the file has none. */
const DEFAULT_INTERFACE = "mlvpn0";

/**
 * Prefix lengths: the longest that has room for two hosts, the usual one, and the shortest that is
 * believed to be meant.
 */
const LENGTHS: Readonly<Record<Family, { most: number; usual: number; least: number }>> = {
  4: { most: 30, usual: 24, least: 16 },
  6: { most: 126, usual: 64, least: 48 },
};

/** Writes the table. */
export function writeTunnel({ settings, out }: Draft): void {
  out.header("[tunnel]");
  writeInterface(settings, out);
  for (const family of [4, 6] as const) writeAddress(settings, family, out);
  writeRoutes(settings, out);
  if (settings.isServer) {
    out.comment(
      "nat = true would masquerade what leaves this host from the tunnel, in place of your rules.",
    );
  }
}

function writeInterface(settings: Settings, out: Draft["out"]): void {
  const name = settings.get(GENERAL, "interface_name");
  const isBsd = settings.links.some((link) => settings.number(link, "bindfib"));
  if (name === "tun" || name === undefined && isBsd) {
    out.comment('The system picks the name of the interface; interface = "tun0" would fix it.');
    return;
  }
  if (name === undefined) out.comment("mlvpn's own name for the interface, for your firewall.");
  out.pair("interface", name ?? DEFAULT_INTERFACE);
}

function writeAddress(settings: Settings, family: Family, out: Draft["out"]): void {
  const text = settings.get(GENERAL, `ip${family}`);
  const suffix = family === 6 ? "6" : "";
  const gateway = settings.get(GENERAL, `ip${family}_gateway`);
  const other = parseAddress(gateway ?? "");
  if (text !== undefined) {
    const written = parsePrefix(text);
    const address = written ?? parseAddress(text)?.toPrefix();
    const fitting = address && withOther(address, other, family);
    if (fitting && `${fitting}` !== text) {
      const why = written
        ? "its network lacks ip" + family + "_gateway"
        : "it has no prefix length";
      out.comment(`ip${family} = "${text}": ${why}, so another is taken. Use it at both ends.`);
    }
    out.pair(`address${suffix}`, fitting ? `${fitting}` : text);
  }
  if (gateway === undefined) return;
  if (text === undefined) {
    out.comment(`ip${family}_gateway = "${gateway}": has no effect without ip${family}.`);
  } else out.pair(`gateway${suffix}`, gateway);
}

/** Returns the address with the longest prefix, at most its own, in which the other end is a host. */
function withOther(address: Prefix, other: Address | undefined, family: Family): Prefix {
  const { most, usual, least } = LENGTHS[family];
  const isGiven = !address.isSingle;
  if (!other || other.family !== family) {
    return isGiven ? address : new Prefix(address.bytes, usual);
  }
  for (let length = isGiven ? address.length : most; length >= least; length--) {
    const network = new Prefix(address.bytes, length);
    const isHost = (host: Address): boolean =>
      network.covers(host) && !network.isNetworkAddress(host) && !network.isBroadcast(host);
    if (isHost(other) && (isGiven || isHost(address.toAddress()))) return network;
  }
  return address;
}

function writeRoutes(settings: Settings, out: Draft["out"]): void {
  const routes = new Set<string>();
  for (const family of [4, 6] as const) {
    const words = settings.get(GENERAL, `ip${family}_routes`)?.split(" ") ?? [];
    for (const word of words.filter(Boolean)) {
      const route = networkOf(word, family);
      if (route?.family === family && route.equals(route.toNetwork())) routes.add(`${route}`);
      else {
        const meant = route === undefined ? "" : ` Was "${route.toNetwork()}" meant?`;
        out.comment(`ip${family}_routes: "${word}" is no network of IPv${family}.${meant}`);
      }
    }
  }
  if (routes.size > 0) out.pair("routes", [...routes]);
}

/** Reads a network as ip(8) and route(8) do: `default`, missing bytes, an address alone. */
function networkOf(word: string, family: Family): Prefix | undefined {
  if (word === "default") return parsePrefix(family === 4 ? "0.0.0.0/0" : "::/0");
  const [address = "", length] = word.split("/");
  const bytes = address.split(".");
  if (family === 4 && length !== undefined && bytes.length < 4) {
    return parsePrefix(`${[...bytes, "0", "0", "0"].slice(0, 4).join(".")}/${length}`);
  }
  return parsePrefix(word) ?? parseAddress(word)?.toPrefix();
}
