import { assert, assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { openNetlink } from "../../../src/platform/linux/netlink.ts";
import { type NetlinkMessage, parseMessages } from "../../../src/platform/linux/route_messages.ts";
import { interfacesOf, listInterfaces } from "../../../src/platform/linux/uplinks.ts";
import type { HostInterface } from "../../../src/platform/platform.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

/**
 * What Linux 6.18 answered to requests for all interfaces, addresses and routes, in a network of its
 * own with
 * ```text
 * eth0   veth with a carrier, 198.51.100.2/30, 2001:db8:1::2/64, fe80::2/64
 *        default via 198.51.100.1 metric 600, and again metric 100; default via fe80::1 proto ra
 * wwan0  veth whose other end is down, 203.0.113.2/30; a route, and a default route in table 101
 * ppp7   tun, 192.0.2.7 peer 192.0.2.8; default dev ppp7 metric 700
 *        unreachable default metric 4000
 * ```
 */
const CAPTURED: readonly Uint8Array[] = Deno.readTextFileSync(
  new URL("uplink_messages.txt", import.meta.url),
).split("# ").slice(1).map((part) =>
  Uint8Array.fromHex(part.trimEnd().split("\n").slice(1).join(""))
);

function readCaptured(): NetlinkMessage[] {
  return CAPTURED.flatMap((bytes) => parseMessages(bytes)!);
}

/** What an interface has, as text. */
function words({ name, isRunning, addresses, defaults }: HostInterface): string[] {
  return [
    `${name} ${isRunning ? "runs" : "rests"}`,
    ...addresses.map((address) => `${address}`),
    ...defaults.map(({ family, gateway, metric }) => `${family}: ${gateway ?? "-"} ${metric}`),
  ];
}

Deno.test("interfacesOf() reads what the kernel tells of interfaces and their default routes", () => {
  const found = interfacesOf(readCaptured()).map(words);
  assertEquals(found.sort(), [
    ["eth0 runs", "198.51.100.2", "2001:db8:1::2", ...DEFAULTS],
    ["far0 runs"],
    ["far1 rests"],
    ["lo runs"],
    ["ppp7 rests", "192.0.2.7", "4: - 700"],
    ["wwan0 rests", "203.0.113.2"],
  ]);
});

const DEFAULTS = ["4: 198.51.100.1 100", "4: 198.51.100.1 600", "6: fe80::1 1024"];

Deno.test("interfacesOf() makes nothing of messages that make no sense, and never throws", () => {
  const messages = readCaptured().map((message): NetlinkMessage => {
    if (message.kind === "address") return { ...message, address: new Uint8Array(3) };
    if (message.kind === "route") return { ...message, gateway: new Uint8Array(5) };
    return message;
  });
  const eth0 = interfacesOf(messages).find(({ name }) => name === "eth0")!;
  assertEquals(words(eth0), ["eth0 runs", "4: - 100", "4: - 600", "6: - 1024"]);
  assertEquals(interfacesOf([]), []);
});

const BUILD = [
  "link add eth0 type veth peer name far0",
  "link set eth0 addrgenmode none up",
  "link set far0 addrgenmode none up",
  "addr add 198.51.100.2/30 dev eth0",
  "addr add 2001:db8:1::2/64 dev eth0 nodad",
  "route add default via 198.51.100.1 dev eth0 metric 100",
];

Deno.test({
  ...networkTest("listInterfaces() lists what this kernel has, also when that is much"),
  fn: () =>
    inNewNetwork(() => {
      for (const command of BUILD) ip(command);
      for (let i = 0; i < 120; i++) ip(`link add many${i} type veth peer name more${i}`);
      const present = listInterfaces(openLibc());
      assertEquals(present.length, 2 + 1 + 240);
      const eth0 = present.find(({ name }) => name === "eth0")!;
      assertEquals(words({ ...eth0, isRunning: true }), [
        "eth0 runs",
        "198.51.100.2",
        "2001:db8:1::2",
        "4: 198.51.100.1 100",
      ]);
    }),
});

Deno.test({
  ...networkTest("NetlinkSocket.list() throws what the kernel refuses"),
  fn: () =>
    inNewNetwork(() => {
      const socket = openNetlink(openLibc(), []);
      // RTM_GETLINK of an interface that does not exist, as no list.
      const request = Uint8Array.fromHex(
        "20000000" + "1200" + "0100" + "05000000" + "00000000" +
          "00000000" + "63000000" + "00000000" + "00000000",
      );
      const error = assertThrows(() => socket.list(5, request), AggvpnError);
      assert(error.message.startsWith("Cannot list interfaces and routes: No such device"));
      socket.close();
    }),
});
