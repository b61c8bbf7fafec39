import { assertEquals } from "@std/assert";
import type { Libc } from "../../../src/platform/linux/libc.ts";
import { NetlinkSocket } from "../../../src/platform/linux/netlink.ts";
import { bytesAt, Struct } from "../openbsd/memory.ts";
import { NOT_LINUX } from "./requirements.ts";

/** NLMSG_OVERRUN, the shortest message that says something. */
const OVERRUN = Uint8Array.fromHex("10000000040000000000000000000000");
/** struct mmsghdr: what message_layout.ts says in words. */
const [HEADER_BYTES, NAME, IOV, FLAGS, LENGTH] = [64, 0, 16, 48, 56];
const MSG_TRUNC = 0x20;

/** A datagram that a fake kernel hands over; its sender's port id, 0 for the kernel. */
interface Datagram {
  readonly sender: number;
  readonly bytes: Uint8Array;
  readonly flags?: number;
}

/** A socket whose calls give `results` one after the other: datagrams, or an error number. */
function socketOf(...results: readonly (readonly Datagram[] | number)[]): NetlinkSocket {
  const left = [...results];
  let errno = 0;
  const recvmmsg = (_fd: number, at: bigint): number => {
    const result = left.shift() ?? 11; // EAGAIN
    if (typeof result === "number") {
      errno = result;
      return -1;
    }
    for (const [i, { sender, bytes, flags = 0 }] of result.entries()) {
      const header = new Struct(bytesAt(at + BigInt(i * HEADER_BYTES), HEADER_BYTES));
      new Struct(bytesAt(header.u64(NAME), 12)).setU32(4, sender);
      const iovec = new Struct(bytesAt(header.u64(IOV), 16));
      bytesAt(iovec.u64(0), Number(iovec.u64(8))).set(bytes);
      header.setU32(FLAGS, flags);
      header.setU32(LENGTH, bytes.length);
    }
    return result.length;
  };
  const symbols = { recvmmsg, write: () => 1, close: () => 0 };
  return new NetlinkSocket({ symbols, errno: () => errno } as unknown as Libc, 3);
}

Deno.test({
  name: "NetlinkSocket.receive() believes only the kernel, and knows when something is missing",
  ignore: NOT_LINUX,
  fn(): void {
    const fromKernel = { sender: 0, bytes: OVERRUN };
    const socket = socketOf(
      [{ sender: 4711, bytes: OVERRUN }, fromKernel],
      [fromKernel, { ...fromKernel, flags: MSG_TRUNC }],
      [{ sender: 0, bytes: OVERRUN.subarray(0, 15) }],
      105, // ENOBUFS
      4, // EINTR
    );
    const outcomes = Array.from({ length: 6 }, () => {
      const { messages, isIncomplete, isAll } = socket.receive();
      return [messages.length, isIncomplete, isAll];
    });
    assertEquals(outcomes, [
      [1, false, true],
      [1, true, true],
      [0, true, true],
      [0, true, false],
      [0, false, true],
      [0, false, true],
    ]);
  },
});

Deno.test({
  name: "NetlinkSocket.ask() returns the answer to its own request, or nothing",
  ignore: NOT_LINUX,
  fn(): void {
    const answer = (sequence: number): Datagram => {
      const bytes = OVERRUN.slice();
      bytes[8] = sequence;
      return { sender: 0, bytes };
    };
    const request = new Uint8Array(16);
    assertEquals(socketOf([answer(6), answer(7)]).ask(7, request)?.sequence, 7);
    assertEquals(socketOf(105, [answer(7)]).ask(7, request)?.sequence, 7);
    assertEquals(socketOf([answer(6)]).ask(7, request), undefined);
    assertEquals(socketOf().ask(7, request), undefined);
  },
});
