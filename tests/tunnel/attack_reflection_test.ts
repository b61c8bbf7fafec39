/**
 * What a peer with keys can make the server send to others, and to itself without having paid for
 * it: no more than three times what it sends.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Remote, remoteOf } from "../../src/remote.ts";
import { FRAME, FRAME_HEADER_BYTES, readFrameType, readProbeNumber } from "../../src/wire/frame.ts";
import { readProbeSentAt } from "../../src/wire/frame.ts";
import { data, probe, probeAck, report } from "./frames.ts";
import { range, udp4 } from "./packets.ts";
import { MALLORY_ADDRESS, RawClient } from "./raw_client.ts";

const VICTIM = remoteOf(Uint8Array.of(198, 18, 0, 1), 53);
/** Headers of IPv4 and UDP, which both sides pay for. */
const HEADERS = 28;
const SECOND = 1_000_000;

/** Bytes on the wire that the server sends to an address. */
class Meter {
  bytes = 0;
  datagrams = 0;
  /** The first counter that it has not seen. */
  readonly before: number;

  /** @param keeps whether the raw client gets to see what is sent to `to` */
  constructor(mallory: RawClient, to: Remote | undefined, keeps: boolean) {
    const { pair } = mallory;
    this.before = mallory.serverCounter(0);
    const pass = pair.onStray;
    pair.onStray = (remote, socket, bytes): void => {
      const isCounted = to === undefined || remote.equals(to.bytes);
      if (isCounted) this.bytes += bytes.length + HEADERS;
      if (isCounted) this.datagrams++;
      if (!isCounted || keeps) pass(remote, socket, bytes);
    };
  }
}

function wireBytes(...datagrams: readonly Uint8Array[]): number {
  return datagrams.reduce((sum, { length }) => sum + length + HEADERS, 0);
}

/**
 * Sends bulk to mallory for `us` and claims every 5 ms, from an address, that all has arrived. The
 * numbers of datagrams are no secret: he may know, without seeing one, how many there were. Returns
 * what he sent.
 */
function streamTo(mallory: RawClient, from: Remote, us: number, meter: Meter): number {
  const { pair } = mallory;
  let sent = 0;
  for (let i = 0; i < us / 5_000; i++) {
    const to = MALLORY_ADDRESS;
    for (const k of range(0, 10)) {
      pair.server.send(pair.now, udp4(i * 10 + k, { to, bytes: 1300 }));
    }
    const highest = meter.before + meter.datagrams - 1;
    const claim = { linkId: 0, sessionId: mallory.sessionId, highest, receivedAtUs: pair.now };
    const datagram = mallory.seal(0, report({ ...claim, ranges: [[0, 1024]] }));
    sent += wireBytes(datagram);
    mallory.deliverFrom(from, datagram);
    pair.run(5_000);
  }
  return sent;
}

Deno.test("a peer that writes another's address into its datagrams sends him no stream", () => {
  const mallory = new RawClient();
  const { pair } = mallory;
  const victim = new Meter(mallory, VICTIM, false);
  const moved = mallory.seal(0, probe(1));
  mallory.deliverFrom(VICTIM, moved);
  const sent = wireBytes(moved) + streamTo(mallory, VICTIM, 5 * SECOND, victim);
  assert(victim.datagrams > 0, "he is asked whether it is he");
  assert(victim.bytes <= 3 * sent, `${victim.bytes} for ${sent}`);
  mallory.assertOthersServed();
  // The path is the peer's again as soon as it speaks from where it is.
  const own = new Meter(mallory, undefined, true);
  for (const i of range(0, 300)) {
    mallory.send(0, probe(2));
    pair.server.send(pair.now, udp4(i, { to: MALLORY_ADDRESS, bytes: 1300 }));
    pair.run(10_000);
    mallory.answerProbes();
  }
  assert(own.bytes > 100_000, `${own.bytes}`);
  pair.finish();
});

Deno.test("a peer cannot guess what a probe must be answered with", () => {
  const mallory = new RawClient();
  const { pair } = mallory;
  const victim = new Meter(mallory, VICTIM, false);
  const sent = { bytes: 0 };
  for (const i of range(0, 2_000)) {
    // Numbers count up, and times are those of the present, for all he knows.
    const now = pair.now & 0xff_ffff;
    const guesses = range(0, 40).map((k) => probeAck(k % 2 === 0 ? k : i + k, now));
    const datagram = mallory.seal(0, ...guesses);
    sent.bytes += wireBytes(datagram);
    mallory.deliverFrom(VICTIM, datagram);
    pair.server.send(pair.now, udp4(i, { to: MALLORY_ADDRESS, bytes: 1300 }));
    pair.run(1_000);
  }
  assert(victim.bytes <= 3 * sent.bytes, `${victim.bytes} for ${sent.bytes}`);
  pair.finish();
});

Deno.test("the numbers of probes say nothing about those that follow", () => {
  const mallory = new RawClient({ links: 4 });
  const numbers = new Set<number>();
  let low = 0;
  for (const _ of range(0, 50)) {
    mallory.pair.run(500_000);
    for (const { link, frames } of mallory.received.splice(0)) {
      if (readFrameType(frames, 0) !== FRAME.probe) continue;
      const number = readProbeNumber(frames, FRAME_HEADER_BYTES);
      assertEquals(numbers.has(number), false);
      numbers.add(number);
      if (number < 1 << 24) low++;
      mallory.send(link, probeAck(number, readProbeSentAt(frames, FRAME_HEADER_BYTES)));
    }
  }
  assert(numbers.size > 50, `${numbers.size}`);
  assert(low < numbers.size / 10, "all bits are used");
});

Deno.test("a peer whose address answered once gets packets only while it answers probes", () => {
  const mallory = new RawClient();
  const { pair } = mallory;
  // It leaves its address to somebody else, and goes on to write reports from elsewhere.
  const stream = new Meter(mallory, undefined, false);
  const HOME = remoteOf(Uint8Array.of(203, 0, 113, 66), 6666);
  const first = streamTo(mallory, HOME, 36 * SECOND, stream);
  assert(stream.bytes > 10 * first, `at first he is believed: ${stream.bytes} for ${first}`);
  stream.bytes = 0;
  const sent = streamTo(mallory, HOME, 10 * SECOND, stream);
  assert(stream.bytes <= 3 * sent + 3_000, `${stream.bytes} for ${sent}`);
  pair.finish();
});

Deno.test("probes with gaps between them are answered with at most three times their bytes", () => {
  const mallory = new RawClient();
  const { pair } = mallory;
  // First some packets, so that there is something to report.
  for (const i of range(0, 200)) {
    mallory.skip(0);
    mallory.send(0, data(udp4(i, { from: MALLORY_ADDRESS }), { global: i, sequence: i }));
  }
  pair.run(SECOND);
  const own = new Meter(mallory, undefined, true);
  let sent = 0;
  for (const i of range(0, 2_000)) {
    mallory.skip(0);
    const datagram = mallory.seal(0, probe(i));
    sent += wireBytes(datagram);
    mallory.deliver(datagram);
    pair.run(1_000);
  }
  // What the packets had earned may still be said.
  assert(own.bytes <= 3 * sent + 16_384, `${own.bytes} for ${sent}`);
  assert(own.datagrams >= 2_000, "and each is answered");
  pair.finish();
});

Deno.test("DATA that is no packet is not reported, whatever is missing between", () => {
  const mallory = new RawClient({ links: 8 });
  const { pair } = mallory;
  pair.run(100_000);
  const own = new Meter(mallory, undefined, true);
  let sent = 0;
  for (const i of range(0, 4_000)) {
    const link = i % 8;
    mallory.skip(link);
    const datagram = mallory.seal(link, [128, ...new Array<number>(10).fill(0)]);
    sent += wireBytes(datagram);
    mallory.deliver(datagram);
    if (link === 7) pair.run(1_000);
  }
  assert(own.bytes < sent / 4, `${own.bytes} for ${sent}`);
  pair.finish();
});

Deno.test("packets with gaps on many links are reported with at most three times their bytes", () => {
  const mallory = new RawClient({ links: 8 });
  const { pair } = mallory;
  pair.run(100_000);
  const own = new Meter(mallory, undefined, true);
  let sent = 0;
  for (const i of range(0, 4_000)) {
    const link = i % 8;
    mallory.skip(link);
    const packet = udp4(i, { from: MALLORY_ADDRESS });
    const datagram = mallory.seal(link, data(packet, { kind: 2, global: i }));
    sent += wireBytes(datagram);
    mallory.deliver(datagram);
    if (link === 7) pair.run(2_000);
  }
  assert(own.bytes <= 3 * sent + 16_384, `${own.bytes} for ${sent}`);
  assert(own.bytes > sent / 4, "they are reported");
  pair.finish();
});
