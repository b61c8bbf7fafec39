/**
 * Trains of datagrams: several as one message, on the way out and on the way in.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../../../src/batch.ts";
import { SO_RXQ_OVFL, SOL_SOCKET } from "../../../src/platform/linux/constants.ts";
import { ERRNO } from "../../../src/platform/linux/errno.ts";
import { type Libc, openLibc } from "../../../src/platform/linux/libc.ts";
import { type LinuxSocket, openSocket } from "../../../src/platform/linux/socket.ts";
import { canSendTrains } from "../../../src/platform/linux/udp_offload.ts";
import { type Remote, remoteOf } from "../../../src/remote.ts";
import { address } from "../../addresses.ts";
import { NOT_LINUX } from "./requirements.ts";

const RELEASE = "6.1.0";
const received = new ReceiveBatch();

/** A libc whose sendmmsg(2) is counted, and fails when told to. */
function spyLibc(fail: (messages: number) => number = () => 0): { libc: Libc; calls: number[] } {
  const libc = openLibc();
  const calls: number[] = [];
  let errno = 0;
  const sendmmsg: Libc["symbols"]["sendmmsg"] = (fd, headers, count, flags) => {
    calls.push(count);
    errno = fail(count);
    return errno === 0 ? libc.symbols.sendmmsg(fd, headers, count, flags) : -1;
  };
  const symbols = { ...libc.symbols, sendmmsg };
  return { libc: { ...libc, symbols, errno: () => errno || libc.errno() }, calls };
}

function open(libc: Libc, host = "127.0.0.1", release = RELEASE): LinuxSocket {
  const local = address(host);
  return openSocket(libc, { name: "test", family: local.family, address: local }, release);
}

function remoteTo(socket: LinuxSocket): Remote {
  const at = socket.localAddress.lastIndexOf(":");
  const host = socket.localAddress.slice(0, at).replace(/[\[\]]/g, "");
  return remoteOf(address(host).bytes, Number(socket.localAddress.slice(at + 1)));
}

/** A batch of datagrams to `remotes`, each filled with its number. */
function batchOf(lengths: readonly number[], remotes: readonly Remote[]): TransmitBatch {
  const batch = new TransmitBatch();
  for (const [i, length] of lengths.entries()) {
    batch.slab.bytes.fill(i, batch.slab.at(i), batch.slab.at(i) + length);
    batch.lengths[i] = length;
    batch.remotes[i] = remotes[i % remotes.length]!;
  }
  batch.count = lengths.length;
  return batch;
}

/** Number and length of each datagram that waits. */
function drain(socket: LinuxSocket): [number, number][] {
  const got: [number, number][] = [];
  for (let count; (count = socket.receive(received)) > 0;) {
    for (let i = 0; i < count; i++) {
      const bytes = received.slab.bytes.subarray(received.slab.at(i));
      const length = received.lengths[i]!;
      const number = bytes[0]!;
      got.push([bytes.subarray(0, length).every((byte) => byte === number) ? number : -1, length]);
    }
  }
  return got;
}

function viewAt(address: bigint, length: number): DataView {
  const pointer = Deno.UnsafePointer.create(address)!;
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
}

function test(name: string, fn: () => void): void {
  Deno.test({ name, ignore: NOT_LINUX, fn });
}

for (const address of ["127.0.0.1", "::1"]) {
  test(`LinuxSocket sends a full batch to ${address} as one message and gets it back whole`, () => {
    const { libc, calls } = spyLibc();
    const [a, b] = [open(libc, address), open(libc, address)];
    const lengths = new Array(BATCH_DATAGRAMS).fill(1000);
    assertEquals(a.send(batchOf(lengths, [remoteTo(b)]), 0), BATCH_DATAGRAMS);
    assertEquals(calls, [1]);
    assertEquals(drain(b), lengths.map((length, i) => [i, length]));
    for (const socket of [a, b]) socket.close();
  });
}

test("LinuxSocket ends a train with a shorter datagram, before a longer one and at 64 kB", () => {
  const { libc, calls } = spyLibc();
  const [a, b] = [open(libc), open(libc)];
  const lengths = [500, 500, 300, 300, 700, ...new Array(40).fill(2000)];
  assertEquals(a.send(batchOf(lengths, [remoteTo(b)]), 0), lengths.length);
  // 500 500 300 | 300 | 700 | 32 of 2000 | 8 of 2000
  assertEquals(calls, [5]);
  assertEquals(drain(b), lengths.map((length, i) => [i, length]));
  for (const socket of [a, b]) socket.close();
});

test("LinuxSocket carries any mixture of lengths and remotes in order", () => {
  const libc = openLibc();
  const sockets = [open(libc), open(libc), open(libc)] as const;
  const remotes = sockets.map(remoteTo);
  const datagram = fc.tuple(fc.constantFrom(1, 90, 91, 1400, 2048), fc.nat(1));
  fc.assert(
    fc.property(fc.array(datagram, { minLength: 1, maxLength: BATCH_DATAGRAMS }), (datagrams) => {
      const batch = batchOf(datagrams.map(([length]) => length), remotes);
      for (const [i, [, to]] of datagrams.entries()) batch.remotes[i] = remotes[1 + to]!;
      assertEquals(sockets[0].send(batch, 0), datagrams.length);
      for (const to of [0, 1]) {
        const mine = datagrams.flatMap(([length, other], i) => other === to ? [[i, length]] : []);
        assertEquals(drain(sockets[1 + to]!), mine as [number, number][]);
      }
    }),
    { numRuns: 200 },
  );
  for (const socket of sockets) socket.close();
});

for (const [name, errno] of [["EIO", ERRNO.EIO], ["EINVAL", ERRNO.EINVAL]] as const) {
  test(`LinuxSocket sends datagrams one by one once a train fails with ${name}`, () => {
    let left = 1;
    const { libc, calls } = spyLibc(() => left-- > 0 ? errno : 0);
    const [a, b] = [open(libc), open(libc)];
    const batch = batchOf([600, 600, 600], [remoteTo(b)]);
    assertEquals([a.send(batch, 0), a.failure], [3, undefined]);
    assertEquals([a.send(batch, 0), a.failure], [3, undefined]);
    assertEquals(calls, [1, 3, 3]);
    assertEquals(drain(b).length, 6);
    for (const socket of [a, b]) socket.close();
  });
}

test("LinuxSocket finds the one datagram of a train that fails, and keeps to trains", () => {
  let refused = 2;
  const { libc, calls } = spyLibc(() => refused-- > 0 ? ERRNO.EMSGSIZE : 0);
  const [a, b] = [open(libc), open(libc)];
  const batch = batchOf([600, 600, 600], [remoteTo(b)]);
  assertEquals([a.send(batch, 0), a.failure], [0, "message-size"]);
  assertEquals([a.send(batch, 1), a.failure], [2, undefined]);
  assertEquals(calls, [1, 3, 1]);
  assertEquals(drain(b), [[1, 600], [2, 600]]);
  for (const socket of [a, b]) socket.close();
});

test("LinuxSocket keeps a train that finds the buffer full", () => {
  const { libc } = spyLibc(() => ERRNO.EAGAIN);
  const [a, b] = [open(libc), open(libc)];
  assertEquals([a.send(batchOf([9, 9], [remoteTo(b)]), 0), a.failure], [0, "again"]);
  for (const socket of [a, b]) socket.close();
});

test("LinuxSocket.receiveDrops believes the newest of the messages that come together", () => {
  const libc = openLibc();
  // struct mmsghdr has 64 bytes: control at 32, its length at 40; what is there is SO_RXQ_OVFL.
  const recvmmsg: Libc["symbols"]["recvmmsg"] = (fd, headers, ...rest) => {
    const count = libc.symbols.recvmmsg(fd, headers, ...rest);
    for (let i = 0; i < count; i++) {
      const header = viewAt(BigInt(headers) + BigInt(64 * i), 64);
      const control = viewAt(header.getBigUint64(32, true), 24);
      [20, 0, SOL_SOCKET, SO_RXQ_OVFL, 7 + i].forEach((word, k) =>
        control.setUint32(4 * k, word, true)
      );
      header.setUint32(40, 24, true);
    }
    return count;
  };
  const [a, b] = [open(libc), open({ ...libc, symbols: { ...libc.symbols, recvmmsg } })];
  a.send(batchOf([100, 200, 300], [remoteTo(b)]), 0);
  assertEquals(b.receive(received), 3);
  assertEquals(b.receiveDrops, 9);
  for (const socket of [a, b]) socket.close();
});

test("canSendTrains() leaves out kernels that corrupt them, and those without", () => {
  const libc = openLibc();
  const socket = open(libc);
  const cases: readonly [string, boolean][] = [
    ["6.18.44-fc", true],
    ["6.99.0", true],
    ["7.0.0", false],
    ["7.1.4-generic", false],
    ["7.1.5", true],
    ["8.0", true],
  ];
  for (const [release, can] of cases) assertEquals(canSendTrains(libc, socket.fd, release), can);
  const without = { ...libc, symbols: { ...libc.symbols, getsockopt: (): number => -1 } };
  assertEquals(canSendTrains(without, socket.fd, "6.18.0"), false);
  socket.close();
});
