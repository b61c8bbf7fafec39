import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Cubic } from "./cubic.ts";
import { Receiver } from "./receiver.ts";
import { Scoreboard } from "./scoreboard.ts";
import { FLAG, readSegment, Segment, writeSegment } from "./segment.ts";
import { RateSampler } from "./rate_sampler.ts";
import { Pieces, Segmentation } from "./segmentation.ts";
import { WindowedMax } from "./windowed_max.ts";
import { CLIENT, flowPortOf, PROTOCOL, writeIpv4 } from "../packet.ts";

Deno.test("writeSegment and readSegment agree on options, blocks and payload", () => {
  const bytes = new Uint8Array(1500).fill(0xee);
  const out = new Segment();
  Object.assign(out, { seq: 0xffff_fff0, ack: 77, flags: FLAG.ack, window: 6 << 20 });
  Object.assign(out, { tsValue: 1234, tsEcho: 99, sackCount: 3 });
  out.sackStart.set([1, 10, 0xffff_ffff]);
  out.sackEnd.set([5, 20, 30]);
  const end = writeSegment(bytes, CLIENT, 30_000, out);
  writeIpv4(bytes, CLIENT, PROTOCOL.tcp, end + 500, 1);
  const read = new Segment();
  readSegment(bytes, 0, end + 500, read);
  assertEquals(end, 20 + 20 + 12 + 28);
  assertEquals({ ...read, payloadBytes: 0 }, { ...out, payloadBytes: 0 });
  assertEquals(read.payloadBytes, 500);
  assertEquals(flowPortOf(bytes, 0), 30_000);
});

Deno.test("writeIpv4 writes a header whose checksum is right", () => {
  const bytes = new Uint8Array(20);
  writeIpv4(bytes, CLIENT, PROTOCOL.udp, 1400, 0xbeef, 0xb8);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += bytes[i]! << 8 | bytes[i + 1]!;
  assertEquals((sum & 0xffff) + (sum >>> 16), 0xffff);
});

Deno.test("Receiver acknowledges every second segment, gaps and duplicates at once", () => {
  const acks: number[] = [];
  let delayed = Infinity;
  const receiver = new Receiver({
    sendAck: (): number => acks.push(receiver.next),
    armDelayedAck: (at): number => delayed = at,
  });
  for (let i = 0; i < 16; i++) receiver.onData(0, i, 1);
  acks.length = 0;
  receiver.onData(100, 16, 1);
  assertEquals([acks.length, delayed], [0, 40_100]);
  receiver.onData(200, 17, 1);
  assertEquals(acks, [18]);
  receiver.onData(300, 19, 1);
  receiver.onData(300, 21, 1);
  const starts = new Float64Array(3);
  const ends = new Float64Array(3);
  assertEquals(receiver.takeBlocks(starts, ends), 2);
  assertEquals([...starts, ...ends], [21, 19, 0, 22, 20, 0]);
  receiver.onData(400, 5, 1);
  assertEquals(receiver.takeBlocks(starts, ends), 3);
  assertEquals([starts[0], ends[0], starts[1]], [5, 6, 21]);
  receiver.onData(500, 18, 1);
  receiver.onData(500, 20, 1);
  assertEquals([receiver.next, receiver.held, acks.at(-1)], [22, 0, 22]);
});

Deno.test("Scoreboard holds a segment lost once a later one has arrived, and not when reordering was seen", () => {
  const board = new Scoreboard();
  for (let i = 0; i < 10; i++) board.onSend(i, i);
  board.beginAck();
  board.onCumulative(20_000, 2);
  board.onSelective(20_000, 3, 6);
  assertEquals([board.sacked, board.pipe, board.delivered], [3, 5, 5]);
  assertEquals(board.detectLosses(20_001, false), Infinity);
  assertEquals([board.nextLost(), board.lost, board.pipe], [2, 1, 4]);
  board.onSend(20_010, 2);
  assertEquals([board.lost, board.pipe, board.resentInFlight], [0, 5, 1]);

  const tolerant = new Scoreboard();
  tolerant.reordered = true;
  for (let i = 0; i < 10; i++) tolerant.onSend(i, i);
  tolerant.srttUs = 20_000;
  tolerant.beginAck();
  tolerant.onSelective(20_000, 3, 6);
  const due = tolerant.detectLosses(20_001, false);
  assertAlmostEquals(due, 20_000 + tolerant.minRttUs / 4, 10);
  assertEquals(tolerant.lost, 0);
});

Deno.test("Scoreboard counts each block once however often it is reported", () => {
  const board = new Scoreboard();
  for (let i = 0; i < 100; i++) board.onSend(0, i);
  board.beginAck();
  for (const [start, end] of [[50, 60], [40, 45], [40, 60], [40, 60], [30, 70]] as const) {
    board.onSelective(1000, start, end);
  }
  assertEquals([board.sacked, board.delivered, board.pipe], [40, 40, 60]);
  board.onCumulative(1000, 80);
  assertEquals([board.sacked, board.delivered, board.pipe], [0, 80, 20]);
});

Deno.test("Segmentation changes the size of what was not sent and of nothing else", () => {
  const segments = new Segmentation(1000);
  segments.resize(0, 1400);
  segments.resize(10, 1300);
  segments.resize(10, 1200);
  segments.resize(12, 1500);
  assertEquals([0, 9, 10, 11, 12].map((n) => segments.sizeOf(n)), [1400, 1400, 1200, 1200, 1500]);
  assertEquals([1, 10, 11, 12, 13].map((n) => segments.startOf(n)), [
    1400,
    14_000,
    15_200,
    16_400,
    17_900,
  ]);
  assertEquals(
    [0, 1399, 1400, 13_999, 14_000, 16_399, 16_400, 17_900].map((byte) => segments.segmentAt(byte)),
    [0, 0, 1, 9, 10, 11, 12, 13],
  );
});

Deno.test("Pieces are a segment when there is no gap, however it was cut", () => {
  const pieces = new Pieces();
  assert(pieces.add(1, 1382, 0, 1382));
  assert(!pieces.add(1, 1382, 1300, 1382));
  assert(!pieces.add(2, 1382, 0, 1300));
  assert(!pieces.add(1, 1382, 0, 1200));
  assert(!pieces.add(1, 1382, 0, 1200));
  assert(pieces.add(1, 1382, 1200, 1382));
  assert(pieces.add(2, 1382, 0, 1382));
  assert(!pieces.add(2, 1382, 1300, 1382));
});

Deno.test("WindowedMax forgets what is older than its window", () => {
  const max = new WindowedMax(3);
  const seen = [5, 3, 4, 1, 1, 1].map((value, round) => {
    max.add(round, value);
    return max.value;
  });
  assertEquals(seen, [5, 5, 5, 4, 4, 1]);
});

Deno.test("RateSampler measures over sending or over acknowledging, whichever is longer", () => {
  const sampler = new RateSampler();
  for (let i = 0; i < 10; i++) sampler.onSend(0, i, i, false);
  for (let i = 0; i < 10; i++) sampler.onArrive(20_000 + i * 100, i, 0);
  assertAlmostEquals(sampler.take(20_000), 10 / 20_900, 1e-9);
  assertEquals(sampler.take(20_000), 0);
  for (let i = 10; i < 20; i++) sampler.onSend(21_000 + i * 1000, i, i - 9, true);
  for (let i = 10; i < 20; i++) sampler.onArrive(60_000, i, 21_000 + i * 1000);
  assertEquals([sampler.limited, sampler.delivered], [true, 20]);
  assertAlmostEquals(sampler.take(20_000), 10 / 40_000, 1e-9);
});

Deno.test("Cubic follows the curve of RFC 9438 after a loss", () => {
  const cubic = new Cubic();
  cubic.cwnd = cubic.ssthresh = 1000;
  cubic.onLoss();
  cubic.cwnd = cubic.ssthresh;
  assertAlmostEquals(cubic.cwnd, 700, 1e-6);
  const k = Math.cbrt(1000 * 0.3 / 0.4);
  const rtt = 0.1;
  for (let t = 0; t < k; t += rtt) {
    for (let i = 0; i < 10; i++) cubic.onAck(t * 1e6, cubic.cwnd / 10, rtt * 1e6, 0, 0);
  }
  assert(cubic.cwnd > 975 && cubic.cwnd < 1025, `${cubic.cwnd} instead of about 1000`);
});
