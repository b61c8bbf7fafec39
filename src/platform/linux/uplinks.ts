/**
 * Which interfaces there are, and which have a default route of their own: rtnetlink(7).
 *
 * @module
 */

import { Address } from "../../address.ts";
import type { DefaultRoute, HostInterface } from "../platform.ts";
import {
  IFF_RUNNING,
  IFF_UP,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTN_UNICAST,
} from "./constants.ts";
import type { Libc } from "./libc.ts";
import { openNetlink } from "./netlink.ts";
import {
  type AddressMessage,
  type DumpType,
  type NetlinkMessage,
  type RouteMessage,
  writeDumpRequest,
} from "./route_messages.ts";

const LISTS: readonly DumpType[] = [RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE];

/** Lists the interfaces of this network. Throws AggvpnError when the kernel does not tell. */
export function listInterfaces(libc: Libc): HostInterface[] {
  const socket = openNetlink(libc, []);
  try {
    return interfacesOf(
      LISTS.flatMap((type, i) => socket.list(i + 1, writeDumpRequest(i + 1, type))),
    );
  } finally {
    socket.close();
  }
}

/** Returns the interfaces of which all that is told is `messages`. */
export function interfacesOf(messages: readonly NetlinkMessage[]): HostInterface[] {
  return messages.filter((message) => message.kind === "interface").map(
    ({ name, index, flags }) => {
      const isOn = (message: { readonly index: number }): boolean => message.index === index;
      const addresses = messages.filter((message) => message.kind === "address");
      const routes = messages.filter((message) => message.kind === "route");
      return {
        name,
        isRunning: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
        addresses: addresses.filter(isOn).filter(isLasting)
          .map(({ address }) => new Address(address)),
        defaults: routes.filter(isOn).filter(isDefault).map(defaultRoute)
          .sort((a, b) => a.metric - b.metric),
      };
    },
  );
}

function isLasting({ address, scope, isTemporary }: AddressMessage): boolean {
  return scope === RT_SCOPE_UNIVERSE && !isTemporary && isAddress(address);
}

function isAddress(bytes: Uint8Array): boolean {
  return bytes.length === 4 || bytes.length === 16;
}

function isDefault({ length, table, type }: RouteMessage): boolean {
  return length === 0 && table === RT_TABLE_MAIN && type === RTN_UNICAST;
}

function defaultRoute({ family, gateway, metric }: RouteMessage): DefaultRoute {
  return { family, metric, ...isAddress(gateway) && { gateway: new Address(gateway) } };
}
