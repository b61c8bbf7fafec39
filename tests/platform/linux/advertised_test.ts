/**
 * A default route that the kernel took from a router advertisement, RFC 4861 section 4.2.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readCommand } from "../../../src/platform/command_output.ts";
import { readHostState } from "../../../src/platform/linux/host_state.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { networkChanges } from "../../../src/platform/linux/network.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { SystemChange } from "../../../src/platform/platform.ts";
import { applyChanges } from "../../../src/platform/run_changes.ts";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { PACKET_OFFSET, PacketPool } from "../../../src/slab.ts";
import { address, prefix } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const ICMPV6 = 58;
const ADVERTISEMENT = 134;
const FORWARDING = "/proc/sys/net/ipv6/conf/all/forwarding";

/** A router advertisement of fe80::1 to all hosts, with a lifetime of half an hour. */
function advertisement(): Uint8Array {
  const packet = new Uint8Array(40 + 16);
  const view = new DataView(packet.buffer);
  packet.set([0x60, 0, 0, 0, 0, 16, ICMPV6, 255]);
  packet.set(address("fe80::1").bytes, 8);
  packet.set(address("ff02::1").bytes, 24);
  packet.set([ADVERTISEMENT, 0, 0, 0, 64, 0], 40);
  view.setUint16(46, 1800);
  let sum = 16 + ICMPV6;
  for (let at = 8; at < packet.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(42, ~sum & 0xffff);
  return packet;
}

/** Lets `advertisement()` arrive on an interface. */
function advertise(uplink: DeviceTun): void {
  const pool = new PacketPool(1);
  const slot = pool.alloc();
  const packet = advertisement();
  pool.bytes.set(packet, pool.at(slot) + PACKET_OFFSET);
  pool.lengths[slot] = packet.length;
  assertEquals(uplink.write(pool, Int32Array.of(slot), 1), 1);
}

/** A server's changes, with NAT, in this network. */
function serverChanges(): SystemChange[] {
  return networkChanges({
    interface: "agg0",
    mtu: 1414,
    addresses: [prefix("2001:db8:44::2/64")],
    gateways: [],
    routes: [],
    links: [],
    nat: true,
    mssClamp: false,
  }, readHostState(readCommand));
}

Deno.test({
  ...networkTest("a server with NAT keeps the default route of a router", "nft", "sysctl"),
  fn: () =>
    inNewNetwork(() => {
      const setting = "/proc/sys/net/ipv6/conf/wan0/accept_ra";
      Deno.writeTextFileSync(FORWARDING, "0");
      const uplink = openTun(openLibc(), "wan0");
      Deno.writeTextFileSync(setting, "1");
      ip("link set wan0 up");
      const routeAfterOne = (): string => {
        advertise(uplink);
        return ip("-6 route");
      };
      const route = "default via fe80::1 dev wan0 proto ra";
      const hasRoute = (): boolean => ip("-6 route").includes(route);
      assertStringIncludes(routeAfterOne(), route);
      // This is what would happen.
      Deno.writeTextFileSync(FORWARDING, "1");
      assertEquals(hasRoute(), false);
      Deno.writeTextFileSync(FORWARDING, "0");
      assertStringIncludes(routeAfterOne(), route);

      const tun = openTun(openLibc(), "agg0");
      const undo = applyChanges(serverChanges(), () => {});
      assertEquals([hasRoute(), Deno.readTextFileSync(setting)], [true, "2\n"]);
      undo();
      assertEquals([hasRoute(), Deno.readTextFileSync(setting)], [true, "1\n"]);
      tun.close();
      uplink.close();
    }),
});
