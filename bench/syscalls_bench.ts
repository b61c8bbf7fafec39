/**
 * What the kernel and FFI cost per packet: TUN reads and writes, datagrams by
 * the batch, a wait. Needs root for the TUN; run with `deno bench -A`.
 *
 * Each figure is for a batch of 64; divide by 64 for one packet.
 */

import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../src/batch.ts";
import { openLibc } from "../src/platform/linux/libc.ts";
import { openPoller } from "../src/platform/linux/poller.ts";
import { openSocket } from "../src/platform/linux/socket.ts";
import { openTun } from "../src/platform/linux/tun.ts";
import { remoteOf } from "../src/remote.ts";
import { PACKET_OFFSET, PacketPool } from "../src/slab.ts";
import { inNewNetwork, ip, NOT_LINUX, NOT_ROOT } from "../tests/platform/linux/requirements.ts";

const DATAGRAM_BYTES = 1400;

if (!NOT_LINUX) {
  const libc = openLibc();
  const poller = openPoller(libc);
  const [sender, receiver] = [1, 2].map(() =>
    openSocket(libc, { name: "bench", family: 4, address: "127.0.0.1" })
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

if (!NOT_ROOT) {
  inNewNetwork(() => {
    const libc = openLibc();
    const tun = openTun(libc, undefined);
    Deno.writeTextFileSync(`/proc/sys/net/ipv6/conf/${tun.name}/disable_ipv6`, "1");
    ip(`address add 192.0.2.1/24 dev ${tun.name}`);
    ip(`link set dev ${tun.name} up`);
    // The descriptor and the socket keep the namespace after this thread has left it.
    const socket = openSocket(libc, { name: "bench", family: 4 });
    const transmit = new TransmitBatch();
    transmit.lengths.fill(DATAGRAM_BYTES);
    const peer = remoteOf(Uint8Array.of(192, 0, 2, 2), 9);
    transmit.remotes.push(...new Array(BATCH_DATAGRAMS).fill(peer));
    transmit.count = BATCH_DATAGRAMS;
    const pool = new PacketPool(BATCH_DATAGRAMS);
    const slots = new Int32Array(BATCH_DATAGRAMS);

    Deno.bench("TUN read of 64 packets of 1428 bytes", { group: "tun" }, (b) => {
      socket.send(transmit, 0);
      b.start();
      const count = tun.read(pool, slots, BATCH_DATAGRAMS);
      b.end();
      for (let i = 0; i < count; i++) pool.release(slots[i]!);
    });

    Deno.bench("TUN read of nothing", { group: "tun" }, () => {
      tun.read(pool, slots, BATCH_DATAGRAMS);
    });

    Deno.bench("TUN write of 64 packets of 1428 bytes", { group: "tun" }, (b) => {
      for (let i = 0; i < BATCH_DATAGRAMS; i++) {
        const slot = slots[i] = pool.alloc();
        const packet = pool.at(slot) + PACKET_OFFSET;
        // An IPv4 header to nowhere: dropped by the kernel after the device took it.
        pool.bytes.set([0x45, 0, 0x05, 0x94, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2], packet);
        pool.lengths[slot] = DATAGRAM_BYTES + 28;
      }
      b.start();
      tun.write(pool, slots, BATCH_DATAGRAMS);
      b.end();
      for (const slot of slots) pool.release(slot);
    });
  });
}
