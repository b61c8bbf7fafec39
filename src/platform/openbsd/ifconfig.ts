/**
 * Commands of ifconfig(8) for addresses, and what it prints of interfaces.
 *
 * The format is that of `status()`, `in_status()` and `in6_alias()` in sbin/ifconfig/ifconfig.c: a
 * line that begins with the name, then a line with a tab for each detail.
 *
 * @module
 */

import { parseAddress, parsePrefix } from "../../address.ts";
import type { InterfaceAddress, KeptInterface } from "../platform.ts";

/** What the kernel says about an IPv6 address that cannot be used: inet6(4). */
export type AddressState = "usable" | "tentative" | "duplicated";

const HEADER =
  /^(\w+): flags=[0-9a-f]+<([^>]*)>(?: rdomain (\d+))?(?: metric \d+)?(?: mtu (\d+))?$/;
const INET = /^\tinet ([\d.]+)(?: --> ([\d.]+))? netmask 0x([0-9a-f]+)/;
/** Nothing follows the arrow when there is no other end. */
const INET6 = /^\tinet6 ([0-9a-f:.]+)(?:%\w+)?(?: --> (\S*))? prefixlen (\d+)(.*)$/;

/** Reads what `ifconfig NAME` prints for one interface or a group. */
export function parseInterfaces(output: string): KeptInterface[] {
  const interfaces: (KeptInterface & { addresses: InterfaceAddress[] })[] = [];
  for (const line of output.split("\n")) {
    const [, name, flags, rdomain, mtu] = HEADER.exec(line) ?? [];
    if (name !== undefined) {
      interfaces.push({
        name,
        isUp: flags!.split(",").includes("UP"),
        rdomain: Number(rdomain ?? 0),
        mtu: Number(mtu ?? 0),
        addresses: [],
      });
    }
    const address = parseInet(line) ?? parseInet6(line);
    if (address) interfaces.at(-1)?.addresses.push(address);
  }
  return interfaces;
}

/**
 * Reads the states of the IPv6 addresses that `ifconfig NAME` or `ifconfig NAME inet6` prints, by
 * the texts of the addresses.
 */
export function parseAddressStates(output: string): Map<string, AddressState> {
  const states = new Map<string, AddressState>();
  for (const line of output.split("\n")) {
    const [, text = "", , , rest = ""] = INET6.exec(line) ?? [];
    const address = parseAddress(text);
    if (!address) continue;
    const flags = rest.split(" ");
    const state = (["duplicated", "tentative"] as const).find((word) => flags.includes(word));
    states.set(`${address}`, state ?? "usable");
  }
  return states;
}

/** Returns the command that gives `name` an address besides those it has. */
export function addCommand(name: string, given: InterfaceAddress): string[] {
  return addressCommand(name, ["alias"], given);
}

/** Returns the command that gives `name` an address and replaces its first IPv4 one. */
export function setCommand(name: string, given: InterfaceAddress): string[] {
  return addressCommand(name, [], given);
}

/** Returns the command that removes an address. */
export function deleteCommand(name: string, given: InterfaceAddress): string[] {
  return ["ifconfig", name, familyWord(given), hostText(given), "delete"];
}

function addressCommand(
  name: string,
  how: readonly string[],
  given: InterfaceAddress,
): string[] {
  const { length } = given.address;
  const mask = isIpv4(given) ? ["netmask", netmaskOf(length)] : ["prefixlen", `${length}`];
  const to = given.peer === undefined ? [] : [`${given.peer}`];
  const anycast = given.isAnycast ? ["anycast"] : [];
  return ["ifconfig", name, familyWord(given), ...how, hostText(given), ...to, ...mask, ...anycast];
}

/** Tells whether an address is IPv4. */
export function isIpv4({ address }: InterfaceAddress): boolean {
  return address.family === 4;
}

/** Tells whether an address is of the kind that the kernel gives every interface with IPv6. */
export function isOwnLinkLocal({ address }: InterfaceAddress): boolean {
  return address.toAddress().isLinkLocal;
}

function hostText({ address }: InterfaceAddress): string {
  return `${address.toAddress()}`;
}

function familyWord(address: InterfaceAddress): string {
  return isIpv4(address) ? "inet" : "inet6";
}

function netmaskOf(length: number): string {
  return [0, 8, 16, 24].map((bit) => 256 - (1 << 8 - Math.min(8, Math.max(0, length - bit)))).join(
    ".",
  );
}

function parseInet(line: string): InterfaceAddress | undefined {
  const [, local, peer, mask = ""] = INET.exec(line) ?? [];
  if (local === undefined) return undefined;
  const length = parseInt(mask, 16).toString(2).replaceAll("0", "").length;
  return interfaceAddress(`${local}/${length}`, peer === "0.0.0.0" ? undefined : peer);
}

function parseInet6(line: string): InterfaceAddress | undefined {
  const [, local, peer, length, flags = ""] = INET6.exec(line) ?? [];
  if (local === undefined) return undefined;
  return interfaceAddress(`${local}/${length}`, peer, flags.split(" ").includes("anycast"));
}

function interfaceAddress(
  address: string,
  peer: string | undefined,
  isAnycast = false,
): InterfaceAddress | undefined {
  const prefix = parsePrefix(address);
  const other = parseAddress(peer ?? "");
  if (!prefix) return undefined;
  return { address: prefix, isAnycast, ...other && { peer: other } };
}
