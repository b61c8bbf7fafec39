/**
 * Any tunnel on any interface of any host, for properties of the commands that set it up.
 *
 * @module
 */

import fc from "fast-check";
import { type Address, Prefix } from "../../../src/address.ts";
import type { HostState } from "../../../src/platform/openbsd/host_state.ts";
import type {
  InterfaceAddress,
  KeptInterface,
  NetworkPlan,
} from "../../../src/platform/platform.ts";
import { prefix } from "../../addresses.ts";

const PREFIX4 = fc.tuple(
  fc.integer({ min: 1, max: 223 }),
  fc.nat(255),
  fc.nat(255),
  fc.nat(255),
  fc.integer({ min: 8, max: 32 }),
).map(([a, b, c, d, length]) => new Prefix(Uint8Array.of(a, b, c, d), length));
const PREFIX6 = fc.tuple(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: 16, max: 128 }))
  .map(([network, host, length]) =>
    prefix(`2001:db8:${network.toString(16)}::${host.toString(16)}/${length}`)
  );

const there = (own: Prefix, peer?: Address, isAnycast = false): InterfaceAddress => ({
  address: own,
  isAnycast,
  ...peer && { peer },
});
/** An address with another end, unless that is the same one. */
const OWN4 = fc.tuple(PREFIX4, PREFIX4).map(([own, other]) => {
  const peer = other.toAddress();
  return there(own, peer.equals(own.toAddress()) ? undefined : peer);
});
const OWN6 = fc.tuple(PREFIX6, fc.boolean()).map(([own, anycast]) =>
  there(own, undefined, anycast)
);
const KEPT: fc.Arbitrary<KeptInterface> = fc.record({
  name: fc.constantFrom("tun0", "tun12"),
  isUp: fc.boolean(),
  rdomain: fc.nat(255),
  mtu: fc.integer({ min: 46, max: 16_384 }),
  addresses: fc.array(fc.oneof(
    OWN4,
    OWN6,
    fc.constant(there(prefix("fe80::1/64"))),
  )),
});
const NETWORK = fc.oneof(PREFIX4, PREFIX6).map((prefix) => prefix.toNetwork());
/** Any plan of a tunnel, on an interface that stays or goes. */
export const ANY_PLAN: fc.Arbitrary<NetworkPlan> = fc.record({
  mtu: fc.integer({ min: 576, max: 1500 }),
  own4: PREFIX4,
  own6: PREFIX6,
  routes: fc.array(fc.oneof(NETWORK, fc.constantFrom(prefix("0.0.0.0/0"), prefix("::/0")))),
  rdomain: fc.option(fc.nat(255), { nil: undefined }),
  kept: fc.option(KEPT, { nil: undefined }),
  dns: fc.array(fc.oneof(PREFIX4, PREFIX6).map((one) => one.toAddress()), { maxLength: 3 }),
  nat: fc.boolean(),
  mssClamp: fc.boolean(),
}).map(({ own4, own6, routes, kept, rdomain, nat, ...rest }) => ({
  ...rest,
  interface: kept?.name ?? "tun0",
  addresses: [own4, own6],
  gateways: [],
  routes: routes.map((destination) => ({ destination })),
  links: [],
  ...rdomain !== undefined && { rdomain },
  ...kept !== undefined && { kept },
  // It is refused in another domain.
  nat: nat && !(rdomain ?? kept?.rdomain),
}));
const SWITCH = fc.constantFrom("0", "1", "2", undefined);
/** Any host that has pf and the anchor. */
export const ANY_STATE: fc.Arbitrary<HostState> = fc.record({
  forwarding: fc.record({ ipv4: SWITCH, ipv6: SWITCH }),
  pfEnabled: fc.constant(true),
  hasAnchor: fc.constant(true),
});
