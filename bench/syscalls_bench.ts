/**
 * What the kernel and FFI cost per packet: TUN reads and writes, datagrams by
 * the batch, a wait. Needs root for the TUN; run with `deno bench -A`.
 *
 * Each figure is for a batch; its name says how large.
 */

import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../src/batch.ts";
import { openLibc } from "../src/platform/linux/libc.ts";
import { openPoller } from "../src/platform/linux/poller.ts";
import { openSocket } from "../src/platform/linux/socket.ts";
import { openTun } from "../src/platform/linux/tun.ts";
import type { TunKind } from "../src/platform/platform.ts";
import { remoteOf } from "../src/remote.ts";
import { PacketPool } from "../src/slab.ts";
import { address } from "../tests/addresses.ts";
import { bytesOf, packetOf, payloadOf, segmentsOf } from "../tests/offload/reference.ts";
import { put } from "../tests/offload/staging.ts";
import { InnerSocket } from "../tests/platform/linux/inner_socket.ts";
import {
  inNewNetwork,
  ip,
  missingForNetwork,
  NOT_LINUX,
} from "../tests/platform/linux/requirements.ts";

const DATAGRAM_BYTES = 1400;

if (!NOT_LINUX) {
  const libc = openLibc();
  const poller = openPoller(libc);
  const [sender, receiver] = [1, 2].map(() =>
    openSocket(libc, { name: "bench", family: 4, address: address("127.0.0.1") })
  );
  const remote = remoteOf(
    Uint8Array.of(127, 0, 0, 1),
    Number(receiver!.localAddress.split(":")[1]),
  );
  const transmit = new TransmitBatch();
  const receive = new ReceiveBatch();
  transmit.lengths.fill(DATAGRAM_BYTES);
  transmit.remotes.push(...new Array(BATCH_DATAGRAMS).fill(remote));
  transmit.count = BATCH_DATAGRAMS;

  Deno.bench("sendmmsg of 64 datagrams of 1400 bytes", { group: "socket" }, (b) => {
    b.start();
    sender!.send(transmit, 0);
    b.end();
    receiver!.receive(receive);
  });

  Deno.bench("recvmmsg of 64 datagrams of 1400 bytes", { group: "socket" }, (b) => {
    sender!.send(transmit, 0);
    b.start();
    receiver!.receive(receive);
    b.end();
  });

  Deno.bench("recvmmsg of nothing", { group: "socket" }, () => {
    receiver!.receive(receive);
  });

  Deno.bench("ppoll of 3 descriptors on a pool thread", { group: "poller" }, async () => {
    await poller.wait(0);
  });
}

/** Packets of 1428 bytes in one super-packet, and in each of the runs below. */
const SEGMENTS = 32;
const HEADER_BYTES = 28;

/** What is compared: one call for a super-packet, and one for each packet. */
function benchTun(kind: TunKind): void {
  const libc = openLibc();
  const tun = openTun(libc, undefined, kind);
  Deno.writeTextFileSync(`/proc/sys/net/ipv6/conf/${tun.name}/disable_ipv6`, "1");
  ip(`address add 192.0.2.1/24 dev ${tun.name}`);
  ip(`link set dev ${tun.name} up`);
  // The descriptor and the socket keep the namespace after this thread has left it.
  const socket = InnerSocket.open("udp", 4);
  socket.connect([192, 0, 2, 2], 9);
  const payload = new Uint8Array(SEGMENTS * DATAGRAM_BYTES);
  if (kind === "offload") socket.setSegmentBytes(DATAGRAM_BYTES);
  const send = (): void => {
    if (kind === "offload") socket.send(payload);
    else for (let i = 0; i < SEGMENTS; i++) socket.send(payload.subarray(0, DATAGRAM_BYTES));
  };
  const pool = new PacketPool(SEGMENTS);
  const slots = new Int32Array(SEGMENTS);

  Deno.bench(`TUN read of ${SEGMENTS} packets of 1428 bytes, ${kind}`, { group: "read" }, (b) => {
    send();
    b.start();
    const count = tun.read(pool, slots, SEGMENTS);
    b.end();
    if (count !== SEGMENTS) throw new Error(`${count} packets were read`);
    for (let i = 0; i < count; i++) pool.release(slots[i]!);
  });

  Deno.bench(`TUN read of nothing, ${kind}`, { group: "read of nothing" }, () => {
    tun.read(pool, slots, SEGMENTS);
  });

  // A flow to nowhere: the kernel drops it after the device took it.
  const flow = segmentsOf(
    packetOf({
      source: [192, 0, 2, 2],
      payload: payloadOf(SEGMENTS * (DATAGRAM_BYTES + HEADER_BYTES - 40)),
    }),
    DATAGRAM_BYTES + HEADER_BYTES - 40,
  ).map((packet) => bytesOf(packet));
  for (const marked of [true, false]) {
    const checksums = marked ? "checksums missing" : "checksums filled in";
    const name = `TUN write of a flow of ${SEGMENTS} packets of 1428 bytes, ${kind}, ${checksums}`;
    Deno.bench(name, { group: `write, ${checksums}` }, (b) => {
      for (let i = 0; i < SEGMENTS; i++) slots[i] = put(pool, flow[i]!, marked);
      b.start();
      const taken = tun.write(pool, slots, SEGMENTS);
      b.end();
      if (taken !== SEGMENTS) throw new Error(`${taken} packets were written`);
      for (const slot of slots) pool.release(slot);
    });
  }
}

if (missingForNetwork() === undefined) {
  for (const kind of ["plain", "offload"] as const) inNewNetwork(() => benchTun(kind));
}
