/**
 * The MSS clamp of the tunnel's nft table, with packets: two TUNs in one network stand for the
 * tunnel and for the network behind this host.
 */

import { assertEquals } from "@std/assert";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import type { HostState } from "../../../src/platform/linux/host_state.ts";
import { networkChanges } from "../../../src/platform/linux/network.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import { applyChanges } from "../../../src/platform/run_changes.ts";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { PACKET_OFFSET, PacketPool } from "../../../src/slab.ts";
import { readU16 } from "../../../src/wire/field.ts";
import { prefix } from "../../addresses.ts";
import { bytesOf, FLAG, packetOf } from "../../offload/reference.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const STATE: HostState = {
  forwarding: { ipv4: true, ipv6: true },
  routes: [],
  rulePreferences: new Set(),
  advertised: [],
};

const PLAN: NetworkPlan = {
  interface: "agg0",
  mtu: 1434,
  addresses: [prefix("192.0.2.1/24"), prefix("2001:db8:1::1/64")],
  gateways: [],
  routes: [],
  links: [],
  nat: false,
  mssClamp: true,
};
/** Hosts beyond the tunnel and behind this host. */
const FAR = { 4: [192, 0, 2, 9], 6: [0x20, 1, 0xd, 0xb8, 0, 1, ...new Array(9).fill(0), 9] };
const NEAR = { 4: [198, 51, 100, 9], 6: [0x20, 1, 0xd, 0xb8, 0, 2, ...new Array(9).fill(0), 9] };
/** Where the MSS is in a SYN without other options. */
const MSS_AT = { 4: 42, 6: 62 };

/** The MSS that a SYN with an MSS of 1460 has when it has been forwarded. */
function mssOf(
  [from, to]: readonly [DeviceTun, DeviceTun],
  version: 4 | 6,
  [source, destination]: readonly [typeof FAR, typeof FAR],
): number {
  const pool = new PacketPool(8);
  const slots = Int32Array.of(pool.alloc());
  const syn = bytesOf(packetOf({
    version,
    source: source[version],
    destination: destination[version],
    flags: FLAG.syn,
    tcpOptions: [2, 4, 1460 >> 8, 1460 & 0xff],
  }));
  pool.bytes.set(syn, pool.at(slots[0]!) + PACKET_OFFSET);
  pool.lengths[slots[0]!] = syn.length;
  assertEquals(from.write(pool, slots, 1), 1);
  while (to.read(pool, slots, 1) === 1) {
    const packet = pool.packet(slots[0]!);
    if (packet.length === syn.length) return readU16(packet, MSS_AT[version]);
  }
  throw new Error("The SYN was not forwarded");
}

Deno.test({
  ...networkTest("the MSS clamp follows the MTU of the tunnel, both ways", "nft"),
  fn: () =>
    inNewNetwork(() => {
      for (const name of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) {
        Deno.writeTextFileSync(`/proc/sys/net/${name}`, "1");
      }
      const tun = openTun(openLibc(), "agg0", "plain");
      const lan = openTun(openLibc(), "lan0", "plain");
      ip("address add 198.51.100.1/24 dev lan0");
      ip("-6 address add 2001:db8:2::1/64 dev lan0 nodad");
      ip("link set dev lan0 mtu 1500 up");
      const undo = applyChanges(networkChanges(PLAN, STATE), () => {});
      while (ip("-6 address show tentative") !== "");
      const values = (): number[] =>
        ([4, 6] as const).flatMap((version) => [
          mssOf([lan, tun], version, [NEAR, FAR]),
          mssOf([tun, lan], version, [FAR, NEAR]),
        ]);
      assertEquals(values(), [1394, 1394, 1374, 1374]);
      ip("link set dev agg0 mtu 1300");
      assertEquals(values(), [1260, 1260, 1240, 1240]);
      ip("link set dev agg0 mtu 1400");
      assertEquals(values(), [1360, 1360, 1340, 1340]);
      // Where the way back seems to lead elsewhere, the MTU at the start is the limit.
      ip("route add 192.0.2.9/32 dev lan0");
      assertEquals(mssOf([tun, lan], 4, [FAR, NEAR]), 1394);
      undo();
      tun.close();
      lan.close();
    }),
});
