/**
 * An interface that existed before this program opened it, from hostname.if(5) or `ifconfig tunN
 * create`. It stays when its device is closed, so its settings have to be restored.
 *
 * Opening brings it up and closing takes it down, whatever it was before (tun_dev_open() and
 * tun_dev_close() of sys/net/if_tun.c): that is corrected once the device is closed. Routes that
 * others have put on it are lost only when it changes its routing domain.
 *
 * @module
 */

import { MAX_PACKET_BYTES } from "../../slab.ts";
import type { ReadCommand } from "../command_output.ts";
import type { InterfaceAddress, KeptInterface, NetworkPlan, SystemChange } from "../platform.ts";
import { addCommand, deleteCommand, isIpv4, isOwnLinkLocal, parseInterfaces } from "./ifconfig.ts";

/** Returns the interface `name`, or every tun(4); valid while this process has opened none. */
export function readKept(read: ReadCommand, name: string | undefined): readonly KeptInterface[] {
  // A bare `tun` is the group of all of them. Without parameters nothing is created.
  const { success, output } = read(["ifconfig", name ?? "tun"]);
  return success ? parseInterfaces(output) : [];
}

/** Returns the commands that undo what opening and closing the device have changed. */
export function closedCommands({ name, isUp, mtu }: KeptInterface): string[][] {
  return [
    // Opening lowers an MTU whose packets would not fit.
    ...(mtu > MAX_PACKET_BYTES ? [["ifconfig", name, "mtu", `${mtu}`]] : []),
    ...(isUp ? [["ifconfig", name, "up"]] : []),
  ];
}

/** Tells whether the interface has to change its domain, which removes every address. */
export function isMoved({ kept, rdomain }: NetworkPlan): boolean {
  return kept !== undefined && rdomain !== undefined && rdomain !== kept.rdomain;
}

/** Returns which of the tunnel's addresses `own` are missing once room was made for them. */
export function missingAddresses(
  plan: NetworkPlan,
  own: readonly InterfaceAddress[],
): InterfaceAddress[] {
  const inWay = addressesInWay(plan, own);
  const stays = plan.kept?.addresses.filter((there) => !isMoved(plan) && !inWay.includes(there));
  return own.filter((address) => !stays?.some((there) => isSame(there, address)));
}

/**
 * Removes what is in the way of the tunnel's addresses. IPv6 comes back first, since the kernel
 * brings the interface up with the first IPv4 address.
 */
export function makeRoom(plan: NetworkPlan, own: readonly InterfaceAddress[]): SystemChange[] {
  const { kept } = plan;
  if (!kept) return [];
  const inWay = addressesInWay(plan, own);
  const [ipv4, ipv6] = [inWay.filter(isIpv4), inWay.filter((address) => !isIpv4(address))];
  return [
    // In reverse, so that they come back in their original order: the first one counts.
    ...[...ipv6, ...ipv4].reverse().map((address) => ({
      run: deleteCommand(kept.name, address),
      undo: addCommand(kept.name, address),
    })),
    ...(isMoved(plan) && hasIpv6(kept)
      ? [{
        run: ["ifconfig", kept.name, "-inet6"],
        undo: ["ifconfig", kept.name, "inet6", "eui64"],
      }]
      : []),
  ];
}

/**
 * Those that another domain would remove, or that one of the tunnel's addresses would change: the
 * same address with another prefix or other end, and those after it, for their order.
 */
function addressesInWay(
  plan: NetworkPlan,
  own: readonly InterfaceAddress[],
): InterfaceAddress[] {
  const given = plan.kept?.addresses.filter((there) => !isOwnLinkLocal(there)) ?? [];
  if (isMoved(plan)) return given;
  const changes = (there: InterfaceAddress): boolean =>
    own.some((one) => one.address.toAddress().equals(there.address.toAddress())) &&
    !own.some((one) => isSame(one, there));
  return [true, false].flatMap((ipv4) => {
    const family = given.filter((there) => isIpv4(there) === ipv4);
    const first = family.findIndex(changes);
    return first < 0 ? [] : family.slice(first);
  });
}

/** Tells whether the interface carries IPv6: then it has at least a link-local address. */
export function hasIpv6({ addresses }: KeptInterface): boolean {
  return addresses.some((address) => !isIpv4(address));
}

function isSame(a: InterfaceAddress, b: InterfaceAddress): boolean {
  const hasSamePeer = a.peer?.toString() === b.peer?.toString();
  return a.address.equals(b.address) && hasSamePeer && a.isAnycast === b.isAnycast;
}
