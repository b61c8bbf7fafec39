import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { EventQueue } from "../../pair/event_queue.ts";
import { CLIENT } from "../packet.ts";
import { QuicCubic } from "./cubic.ts";
import { type AckPacket, emptyAck, readAck, readData, writeAck, writeData } from "./packet.ts";
import { QuicReceiver } from "./receiver.ts";
import { ReceivingSocket } from "./receiving_socket.ts";
import { QuicSender } from "./sender.ts";

/** An acknowledgement of ranges, the latest first. */
function ackOf(...ranges: readonly (readonly [number, number])[]): AckPacket {
  const ack = emptyAck();
  ack.limit = 1e6;
  ack.rangeCount = ranges.length;
  ranges.forEach(([start, end], i) => {
    ack.starts[i] = start;
    ack.ends[i] = end;
  });
  return ack;
}

/** A sender, what it has sent as [number, piece], and when its timer is armed for. */
function sender(): { quic: QuicSender; sent: [number, number][]; timer: () => number } {
  const sent: [number, number][] = [];
  let timerAt = Infinity;
  const io = {
    sendPacket: (_now: number, number: number, piece: number): number => sent.push([number, piece]),
    armTimer: (at: number): number => timerAt = at,
  };
  const quic = new QuicSender(io, "cubic", 1e6);
  quic.start(0);
  return { quic, sent, timer: () => timerAt };
}

Deno.test("packets of QUIC are read as they were written", () => {
  const bytes = new Uint8Array(1500).fill(0xee);
  const data = { number: 0, piece: 0, marked: true };
  const ack = emptyAck();
  writeData(bytes, CLIENT, 30_000, { number: 70_000, piece: 69_998 }, 1400);
  assert(readData(bytes, 0, data) && !readAck(bytes, 0, ack));
  assertEquals(data, { number: 70_000, piece: 69_998, marked: false });
  const written = { ...ackOf([9, 12], [3, 5]), limit: 4000, delayUs: 25_000, marks: 3 };
  const length = writeAck(bytes, CLIENT, 30_000, written);
  assert(readAck(bytes, 0, ack) && !readData(bytes, 0, data));
  assertEquals({ ...ack }, written);
  assert(length <= 100, "the simulator copies this much of a packet");
});

Deno.test("QuicReceiver acknowledges every second packet, and at once what is out of order", () => {
  const acks: number[] = [];
  let delayed = Infinity;
  const receiver = new QuicReceiver({
    sendAck: (now): number => acks.push(now),
    armDelayedAck: (at): number => delayed = at,
  }, 100);
  receiver.onData(0, 0, 0);
  assertEquals([acks.length, delayed], [0, 25_000]);
  receiver.onData(1, 1, 1);
  receiver.onData(2, 4, 4);
  receiver.onData(3, 2, 2);
  assertEquals(acks, [1, 2, 3]);
  const ack = emptyAck();
  receiver.fill(103, ack);
  assertEquals([ack.limit, ack.delayUs, ack.rangeCount], [103, 101, 2]);
  assertEquals([...ack.starts.slice(0, 2), ...ack.ends.slice(0, 2)], [4, 0, 5, 3]);
  receiver.onData(4, 3, 3);
  receiver.fill(4, ack);
  assertEquals([ack.rangeCount, ack.starts[0], ack.ends[0], receiver.next], [1, 0, 5, 5]);
  receiver.onData(5, 5, 3);
  assertEquals(receiver.pieces, 5, "a piece that came twice counts once");
});

Deno.test("QuicSender holds a packet lost once one three later has arrived, and sends its piece again", () => {
  const { quic, sent } = sender();
  assertEquals(sent.length, 10);
  quic.onAck(40_000, ackOf([2, 3], [1, 2]));
  assertEquals(quic.lost, 0);
  quic.onAck(40_100, ackOf([3, 4], [1, 3]));
  assertEquals([quic.lost, quic.state], [1, "recovery"]);
  quic.onAck(41_000, ackOf([1, 10]));
  assert(sent.slice(10).some(([number, piece]) => number >= 10 && piece === 0));
});

Deno.test("QuicSender holds a packet lost 9/8 of a round trip after it left", () => {
  const { quic, timer } = sender();
  quic.onAck(40_000, ackOf([1, 2]));
  assertEquals([quic.lost, timer()], [0, 45_000]);
  quic.onTimer(45_000);
  assertEquals(quic.lost, 1);
});

Deno.test("QuicSender sends two probes when nothing is heard, and lowers nothing yet", () => {
  const { quic, sent, timer } = sender();
  const { cwnd } = quic.congestion;
  assertEquals(timer(), 3 * 333_000);
  quic.onTimer(timer());
  assertEquals(sent.slice(10), [[10, 0], [11, 0]]);
  assertEquals([quic.congestion.cwnd, quic.probes], [cwnd, 1]);
});

Deno.test("QuicSender lowers its window once per round trip, and to the least when losses persist", () => {
  const { quic } = sender();
  quic.onAck(40_000, ackOf([5, 6], [0, 1]));
  const { cwnd } = quic.congestion;
  quic.onAck(40_001, ackOf([9, 10], [5, 6]));
  assertEquals(quic.congestion.cwnd, cwnd, "both were sent before the first loss was noticed");
});

Deno.test("QuicSender takes a mark for a loss, once per round trip", () => {
  const { quic, sent } = sender();
  const { cwnd } = quic.congestion;
  quic.onAck(40_000, { ...ackOf([0, 4]), marks: 1 });
  assertEquals(quic.congestion.cwnd, 0.7 * cwnd, "the window is lower, and does not grow");
  quic.onAck(40_001, { ...ackOf([0, 8]), marks: 2 });
  assertEquals(quic.congestion.cwnd, 0.7 * cwnd, "what came marked had left before the answer");
  assertEquals([quic.lost, quic.marks, sent[0]![0]], [0, 2, 0]);
});

Deno.test("QuicCubic answers a second loss twice, as quinn does, until the window is back", () => {
  const cubic = new QuicCubic();
  const { cwnd } = cubic;
  cubic.onEnter("open", "recovery");
  assertEquals(cubic.cwnd, 0.7 * cwnd);
  cubic.onEnter("open", "recovery");
  assertAlmostEquals(cubic.cwnd, 0.7 * 0.85 * 0.7 * cwnd);
});

Deno.test("ReceivingSocket has room for 92 packets, and its program reads one in 40 us", () => {
  const queue = new EventQueue();
  const read: number[] = [];
  const socket = new ReceivingSocket(queue, (now, { number }) => read.push(now, number));
  for (let number = 0; number < 100; number++) {
    socket.push(0, { number, piece: number, marked: false });
  }
  queue.runUntil(179);
  assertEquals([socket.drops, ...read], [8, 100, 0, 140, 1]);
});
