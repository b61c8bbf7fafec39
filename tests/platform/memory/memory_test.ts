import { assertEquals, assertThrows } from "@std/assert";
import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../../../src/batch.ts";
import { AggvpnError } from "../../../src/errors.ts";
import { MemoryPlatform } from "../../../src/platform/memory/platform.ts";
import { Remote, remoteOf } from "../../../src/remote.ts";
import { MAX_PACKET_BYTES, PacketPool } from "../../../src/slab.ts";
import { bytesOf, packetOf, payloadOf } from "../../offload/reference.ts";
import { put } from "../../offload/staging.ts";
import { address } from "../../addresses.ts";

const LOCAL = Uint8Array.of(192, 0, 2, 1);
const PEER = Uint8Array.of(192, 0, 2, 2);

function batchOf(count: number, remote: Remote): TransmitBatch {
  const batch = new TransmitBatch();
  for (let i = 0; i < count; i++) {
    batch.slab.bytes[batch.slab.at(i)] = i;
    batch.lengths[i] = 1;
    batch.remotes[i] = remote;
  }
  batch.count = count;
  return batch;
}

Deno.test("MemorySocket reaches the socket at an address, of any host of the network", () => {
  const here = new MemoryPlatform();
  const there = new MemoryPlatform(here.network);
  const a = here.openSocket({ name: "a", family: 4, address: address("192.0.2.1"), port: 1 });
  const b = there.openSocket({ name: "b", family: 4, address: address("192.0.2.2"), port: 2 });
  assertEquals(a.send(batchOf(3, remoteOf(PEER, 2)), 1), 2);
  const batch = new ReceiveBatch();
  assertEquals(b.receive(batch), 2);
  assertEquals(`${new Remote(batch.remotes)}`, "192.0.2.1:1");
  assertEquals(batch.slab.bytes[batch.slab.at(1)], 2);
  assertEquals(b.receive(batch), 0);
});

Deno.test("MemorySocket.receive() takes a batch at a time", () => {
  const { network } = new MemoryPlatform();
  const [a, b] = [1, 2].map((port) =>
    network.open(port, { name: "", family: 4, address: address("192.0.2.1"), port })
  );
  const remote = remoteOf(LOCAL, 2);
  a!.send(batchOf(BATCH_DATAGRAMS, remote), 0);
  a!.send(batchOf(1, remote), 0);
  const batch = new ReceiveBatch();
  assertEquals([b!.receive(batch), b!.receive(batch), b!.waiting], [64, 1, 0]);
});

Deno.test("MemorySocket fails as told, and sends to nobody without complaint", () => {
  const socket = new MemoryPlatform().openSocket({ name: "", family: 4 });
  const batch = batchOf(1, remoteOf(PEER, 9));
  assertEquals([socket.send(batch, 0), socket.failure], [1, undefined]);
  socket.nextFailure = "unreachable";
  assertEquals([socket.send(batch, 0), socket.failure], [0, "unreachable"]);
});

Deno.test("MemoryNetwork refuses an address that is taken until it is closed", () => {
  const platform = new MemoryPlatform();
  const options = { name: "", family: 4, port: 7 } as const;
  const socket = platform.openSocket(options);
  assertThrows(() => platform.openSocket(options), AggvpnError, "already in use");
  socket.close();
  platform.openSocket(options);
});

Deno.test("MemoryTun gives packets in order, as many as asked and as slots are free", () => {
  const tun = new MemoryPlatform().openTun();
  const pool = new PacketPool(2);
  const slots = new Int32Array(8);
  for (const length of [10, MAX_PACKET_BYTES + 1, 20, 30]) tun.inject(new Uint8Array(length));
  assertEquals(tun.read(pool, slots, 1), 1);
  assertEquals(tun.read(pool, slots.subarray(1), 8), 1);
  assertEquals([...slots.subarray(0, 2)].map((slot) => pool.lengths[slot]), [10, 20]);
  assertEquals([tun.read(pool, slots, 8), tun.waiting], [0, 1]);
  assertEquals(tun.write(pool, slots, 1), 1);
  assertEquals(tun.written.map((packet) => packet.length), [10]);
  tun.close();
  assertThrows(() => tun.read(pool, slots, 1), AggvpnError);
});

Deno.test("MemoryTun.write() fills in missing checksums and refuses packets without a place for one", () => {
  const tun = new MemoryPlatform().openTun();
  const pool = new PacketPool(2);
  const packet = packetOf({ payload: payloadOf(20) });
  const slots = Int32Array.of(
    put(pool, bytesOf(packet, "zero"), true),
    put(pool, bytesOf(packet), true),
  );
  pool.lengths[slots[1]!] = 59;
  assertEquals(tun.write(pool, slots, 2), 1);
  assertEquals(tun.written, [bytesOf(packet)]);
});

Deno.test("MemoryPoller.wait() ends on a packet, a datagram, a wake or the deadline", async () => {
  const platform = new MemoryPlatform();
  const tun = platform.openTun();
  const socket = platform.openSocket({
    name: "",
    family: 4,
    address: address("192.0.2.1"),
    port: 1,
  });
  const poller = platform.openPoller();
  poller.watch([{ fd: tun.fd, writable: false }, { fd: socket.fd, writable: false }]);
  const ready = (): boolean[] => [poller.ready(0), poller.ready(1)];

  await poller.wait(100);
  assertEquals(ready(), [false, false]);
  setTimeout(() => socket.send(batchOf(1, remoteOf(LOCAL, 1)), 0), 1);
  await poller.wait(Infinity);
  assertEquals(ready(), [false, true]);
  socket.receive(new ReceiveBatch());
  setTimeout(() => tun.inject(new Uint8Array(1)), 1);
  await poller.wait(Infinity);
  assertEquals(ready(), [true, false]);
  tun.read(new PacketPool(1), new Int32Array(1), 1);
  poller.wake();
  await poller.wait(Infinity);
  assertEquals(ready(), [false, false]);
  setTimeout(() => poller.close(), 1);
  await poller.wait(Infinity);
});

Deno.test("MemoryPlatform.killGroup() kills real processes, and ignores those that have ended", async () => {
  const child = new Deno.Command("sleep", { args: ["20"], detached: true }).spawn();
  const platform = new MemoryPlatform();
  platform.killGroup(child.pid);
  assertEquals((await child.status).code, 128 + 9);
  platform.killGroup(child.pid);
});
