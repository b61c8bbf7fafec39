import { assert, assertEquals } from "@std/assert";
import {
  leadsTo,
  type NetlinkMessage,
  parseMessages,
  type RouteMessage,
  writeInterfaceRequest,
  writeRouteRequest,
} from "../../../src/platform/linux/route_messages.ts";
import { address } from "../../addresses.ts";
import { Rng } from "../../pair/rng.ts";

/**
 * What Linux 6.18 told the groups of src/platform/linux/network_watch.ts, each after the `ip`
 * command above it, in a network namespace of its own.
 */
const CAPTURED: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = readCaptured();

function readCaptured(): Map<string, Uint8Array<ArrayBuffer>> {
  const text = Deno.readTextFileSync(new URL("route_messages.txt", import.meta.url));
  return new Map(
    text.split("# ").slice(1).map((part) => {
      const [title = "", ...lines] = part.trimEnd().split("\n");
      return [title, Uint8Array.fromHex(lines.join(""))];
    }),
  );
}

const NONE = new Uint8Array(0);
const RTN_UNICAST = 1;

/** A parsed message with addresses as text, its sequence left out. */
function readable(message: NetlinkMessage): unknown {
  const { sequence: _, ...rest } = message;
  const text = (bytes: Uint8Array): string => bytes.length > 0 ? `${addressOf(bytes)}` : "";
  if (rest.kind === "address") return { ...rest, address: text(rest.address) };
  if (rest.kind === "route") {
    return { ...rest, destination: text(rest.destination), gateway: text(rest.gateway) };
  }
  return rest;
}

function addressOf(bytes: Uint8Array): string {
  return bytes.length === 4
    ? bytes.join(".")
    : Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16))
      .join(":");
}

/** IFF_POINTOPOINT, IFF_NOARP, IFF_MULTICAST; IFF_BROADCAST, IFF_MULTICAST; with IFF_UP one more. */
const [TUN, VETH] = [0x1090, 0x1002];

const EXPECTED: Readonly<Record<string, unknown>> = {
  "ip tuntap add line1 mode tun: RTM_NEWLINK": {
    kind: "interface",
    isGone: false,
    index: 2,
    name: "line1",
    flags: TUN,
    mtu: 1500,
  },
  "ip link set line1 mtu 1492: RTM_NEWLINK": {
    kind: "interface",
    isGone: false,
    index: 2,
    name: "line1",
    flags: TUN | 1,
    mtu: 1492,
  },
  "ip link set eth1 down: RTM_NEWLINK": {
    kind: "interface",
    isGone: false,
    index: 4,
    name: "eth0",
    flags: VETH | 1,
    mtu: 1500,
  },
  "ip link del eth0: RTM_DELLINK": {
    kind: "interface",
    isGone: true,
    index: 4,
    name: "eth0",
    flags: VETH,
    mtu: 1500,
  },
  "ip addr add 198.51.100.2/30 dev line1: RTM_NEWADDR": {
    kind: "address",
    isGone: false,
    index: 2,
    address: "198.51.100.2",
    scope: 0,
    isTemporary: false,
  },
  "ip addr add 192.0.2.7 peer 192.0.2.8 dev line1: RTM_NEWADDR": {
    kind: "address",
    isGone: false,
    index: 2,
    address: "192.0.2.7",
    scope: 0,
    isTemporary: false,
  },
  "ip addr add 2001:db8:1::2/64 dev line1 nodad: RTM_NEWADDR": {
    kind: "address",
    isGone: false,
    index: 2,
    address: "2001:db8:1:0:0:0:0:2",
    scope: 0,
    isTemporary: false,
  },
  "ip addr del 192.0.2.129/25 dev eth0: RTM_DELADDR": {
    kind: "address",
    isGone: true,
    index: 4,
    address: "192.0.2.129",
    scope: 0,
    isTemporary: false,
  },
  "ip route add 203.0.113.0/24 via 192.0.2.130 dev eth0: RTM_NEWROUTE": {
    kind: "route",
    isGone: false,
    family: 4,
    destination: "203.0.113.0",
    length: 24,
    table: 254,
    index: 4,
    gateway: "192.0.2.130",
    metric: 0,
    type: RTN_UNICAST,
  },
  "ip route add default via 192.0.2.130 dev eth0 table 1000: RTM_NEWROUTE": {
    kind: "route",
    isGone: false,
    family: 4,
    destination: "",
    length: 0,
    table: 1000,
    index: 4,
    gateway: "192.0.2.130",
    metric: 0,
    type: RTN_UNICAST,
  },
  "ip -6 route add 2001:db8:9::/48 via 2001:db8:2::1: RTM_NEWROUTE": {
    kind: "route",
    isGone: false,
    family: 6,
    destination: "2001:db8:9:0:0:0:0:0",
    length: 48,
    table: 254,
    index: 4,
    gateway: "2001:db8:2:0:0:0:0:1",
    metric: 1024,
    type: RTN_UNICAST,
  },
  "ip route del 203.0.113.0/24: RTM_DELROUTE": {
    kind: "route",
    isGone: true,
    family: 4,
    destination: "203.0.113.0",
    length: 24,
    table: 254,
    index: 4,
    gateway: "192.0.2.130",
    metric: 0,
    type: RTN_UNICAST,
  },
};

for (const [title, bytes] of CAPTURED) {
  Deno.test(`parseMessages() reads what the kernel says after ${title}`, () => {
    const [message, ...others] = parseMessages(bytes)!;
    assertEquals(others, []);
    assertEquals(readable(message!), EXPECTED[title]);
  });
}

Deno.test("parseMessages() reads several messages, and leaves out those of other types", () => {
  const [link, , , addr, , , route] = [...CAPTURED.values()] as [
    Uint8Array<ArrayBuffer>,
    ...Uint8Array<ArrayBuffer>[],
  ];
  const neighbour = addr!.slice();
  neighbour[4] = 28; // RTM_NEWNEIGH
  const all = Uint8Array.from([...link, ...neighbour, ...route!]);
  assertEquals(parseMessages(all)!.map(({ kind }) => kind), ["interface", "route"]);
  assertEquals(parseMessages(new Uint8Array(0)), []);
});

Deno.test("parseMessages() tells errors with their request, and that messages were lost", () => {
  // nlmsghdr of an answer to request 7: NLMSG_ERROR with -ENETUNREACH, then the request's header.
  const error = Uint8Array.fromHex(
    "24000000" + "0200" + "0000" + "07000000" + "39300000" + "9bffffff" +
      "28000000" + "1a00" + "0100" + "07000000" + "00000000",
  );
  assertEquals(parseMessages(error), [{ kind: "error", errno: 101, sequence: 7 }]);
  const overrun = Uint8Array.fromHex("10000000" + "0400" + "0000" + "00000000" + "00000000");
  assertEquals(parseMessages(overrun), [{ kind: "error", errno: 0, sequence: 0 }]);
});

Deno.test("parseMessages() returns undefined for what does not fit, and never throws", () => {
  const rng = new Rng(7);
  const below = (bound: number): number => Math.floor(rng.next() * bound);
  for (const bytes of CAPTURED.values()) {
    for (let length = 1; length < bytes.length; length++) {
      assertEquals(parseMessages(bytes.subarray(0, length)), undefined, `${length}`);
    }
    for (let i = 0; i < 2000; i++) {
      const changed = bytes.slice(0, 16 + below(bytes.length - 15));
      new DataView(changed.buffer).setUint32(0, changed.length, true);
      for (let k = 0; k < 3; k++) changed[4 + below(changed.length - 4)] = below(256);
      parseMessages(changed);
    }
  }
});

Deno.test("leadsTo() compares the bits of the network that count", () => {
  const route = (text: string, length: number): RouteMessage => {
    const destination = length === 0 ? new Uint8Array(0) : address(text).bytes;
    const family = text.includes(":") ? 6 : 4;
    const other = { isGone: false, table: 254, index: 1, gateway: NONE, metric: 0, type: 1 };
    return { kind: "route", family, destination, length, ...other };
  };
  const cases = [
    ["203.0.113.0", 24, "203.0.113.1", true],
    ["203.0.113.0", 30, "203.0.113.4", false],
    ["203.0.113.128", 25, "203.0.113.1", false],
    ["203.0.113.1", 32, "203.0.113.1", true],
    ["203.0.113.2", 32, "203.0.113.1", false],
    ["0.0.0.0", 0, "203.0.113.1", true],
    ["::", 0, "203.0.113.1", false],
    ["2001:db8:9::", 47, "2001:db8:8::1", true],
    ["2001:db8:9::", 48, "2001:db8:8::1", false],
  ] as const;
  for (const [network, length, host, expected] of cases) {
    assertEquals(leadsTo(route(network, length), address(host).bytes), expected, network + length);
  }
});

Deno.test("writeInterfaceRequest() and writeRouteRequest() write what ip(8) would", () => {
  assertEquals(
    writeInterfaceRequest(3, 4).toHex(),
    "28000000" + "1200" + "0100" + "03000000" + "00000000" +
      "00000000" + "04000000" + "00000000" + "00000000" + "0800" + "1d00" + "08000000",
  );
  const request = {
    to: address("203.0.113.1").bytes,
    from: address("198.51.100.2").bytes,
    mark: 5,
    index: 4,
  };
  assertEquals(
    writeRouteRequest(1, request).toHex(),
    "3c000000" + "1a00" + "0100" + "01000000" + "00000000" +
      "02202000" + "00000000" + "00200000" + "0800" + "0100" + "cb007101" +
      "0800" + "0200" + "c6336402" + "0800" + "0400" + "04000000" + "0800" + "1000" + "05000000",
  );
  const plain = writeRouteRequest(2, { to: address("2001:db8::1").bytes });
  assertEquals(
    plain.toHex(),
    "30000000" + "1a00" + "0100" + "02000000" + "00000000" +
      "0a800000" + "00000000" + "00200000" + "1400" + "0100" +
      "20010db8000000000000000000000001",
  );
  assert(plain.length === 48);
});
