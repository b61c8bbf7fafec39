import { assert, assertEquals } from "@std/assert";
import { HeaderReferences } from "../../src/receiver/header_references.ts";
import { HeaderCompressor } from "../../src/scheduler/header_compressor.ts";
import { PACKET_OFFSET, PacketPool, PLAIN_OFFSET } from "../../src/slab.ts";
import {
  isCompressed,
  isReference,
  markResent,
  readReference,
  writeDataHeader,
} from "../../src/wire/data.ts";
import { type Fields, KINDS, stamps } from "../wire/flow_packets.ts";

const SECOND = 1_000_000;
const BUCKET = 300;
const tcp = KINDS["TCP over IPv4"];
const udp = KINDS["UDP over IPv4"];

/** A packet that was sent: what it is now, and what it was. */
interface Sent {
  readonly slot: number;
  readonly packet: Uint8Array;
  readonly way: "whole" | "reference" | "compressed";
}

class Bench {
  now = SECOND;
  readonly pool = new PacketPool(200);
  readonly compressor = new HeaderCompressor(this.pool);
  readonly references = new HeaderReferences(this.pool);
  #count = 0;
  #sequence = 0;

  send(packet: Uint8Array, bucket = BUCKET): Sent {
    const slot = this.pool.alloc();
    const start = this.pool.at(slot);
    this.pool.bytes.set(packet, start + PACKET_OFFSET);
    this.pool.lengths[slot] = packet.length;
    writeDataHeader(this.pool.bytes, start + PLAIN_OFFSET, 0, bucket, 0, this.#sequence++, 0);
    this.compressor.handlePacket(this.now, slot);
    return { slot, packet, way: this.wayOf(slot) };
  }

  /** The next packet of a download. */
  next(fields: Fields = {}): Sent {
    const count = ++this.#count;
    const changes = { id: count, sequence: 1400 * count, options: stamps(count, 1) };
    return this.send(tcp({ ...changes, payload: new Array(100).fill(count), ...fields }));
  }

  wayOf(slot: number): Sent["way"] {
    const at = this.pool.at(slot) + PLAIN_OFFSET;
    if (isCompressed(this.pool.bytes, at)) return "compressed";
    return isReference(this.pool.bytes, at) ? "reference" : "whole";
  }

  /** It arrives in another slot. What it is there; undefined if that is not known. */
  arrive({ slot }: Sent): Uint8Array | undefined {
    const { pool } = this;
    const other = pool.alloc();
    const from = pool.at(slot);
    const length = pool.lengths[slot]!;
    pool.bytes.copyWithin(pool.at(other), from, from + PACKET_OFFSET + length);
    const way = this.wayOf(other);
    if (way === "reference") this.references.keep(other, length);
    pool.lengths[other] = way === "compressed" ? this.references.expand(other, length) : length;
    const packet = pool.packet(other).slice();
    pool.release(other);
    return packet.length > 0 ? packet : undefined;
  }

  deliver(sent: Sent): void {
    assertEquals(this.arrive(sent), sent.packet);
    this.compressor.handleDelivered(sent.slot);
    this.pool.release(sent.slot);
  }
}

Deno.test("HeaderCompressor refers to what was acknowledged, and to nothing else", () => {
  const bench = new Bench();
  const first = bench.next();
  assertEquals(first.way, "reference");
  const second = bench.next();
  assertEquals(second.way, "whole");
  bench.deliver(second);
  assertEquals(bench.next().way, "whole");
  bench.deliver(first);
  const short = bench.next();
  assertEquals(short.way, "compressed");
  assert(bench.pool.lengths[short.slot]! <= short.packet.length - 40);
  bench.deliver(bench.next());
  bench.deliver(short);
});

Deno.test("HeaderCompressor begins with another packet when the first is never acknowledged", () => {
  const bench = new Bench();
  assertEquals(bench.next().way, "reference");
  bench.now += 2 * SECOND;
  assertEquals(bench.next().way, "whole");
  bench.now += 2 * SECOND;
  const other = bench.next();
  assertEquals(other.way, "reference");
  bench.deliver(other);
  assertEquals(bench.next().way, "compressed");
});

Deno.test("HeaderCompressor renews the reference of a TCP flow, and uses the old one until then", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  const early = bench.next();
  bench.now += SECOND;
  const second = bench.next();
  assertEquals(second.way, "reference");
  const between = bench.next();
  assertEquals(between.way, "compressed");
  bench.deliver(second);
  const late = bench.next();
  const numberOf = ({ slot }: Sent): number =>
    readReference(bench.pool.bytes, bench.pool.at(slot) + PLAIN_OFFSET);
  assertEquals(numberOf(between), numberOf(early));
  assertEquals(numberOf(late), numberOf(second));
  for (const sent of [late, between, early]) bench.deliver(sent);
});

Deno.test("HeaderCompressor goes on for long, whatever number comes", () => {
  const bench = new Bench();
  let references = 0;
  for (let i = 0; i < 2000; i++) {
    bench.now += SECOND / 10;
    const sent = bench.next();
    if (sent.way === "reference") references++;
    assert(sent.way !== "whole" || i === 0);
    bench.deliver(sent);
  }
  assert(references > 130 && references < 210, `${references}`);
});

Deno.test("HeaderCompressor keeps the reference of a UDP flow for ten seconds", () => {
  const bench = new Bench();
  const ways = Array.from({ length: 21 }, (_, i) => {
    bench.now += SECOND;
    const sent = bench.send(udp({ id: i, payload: [i] }));
    bench.deliver(sent);
    return sent.way;
  });
  const renewed = ways.flatMap((way, i) => way === "reference" ? [i] : []);
  assertEquals(renewed, [0, 10, 20]);
});

Deno.test("HeaderCompressor gives a place to another flow only when the first has left it", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  for (let i = 0; i < 5; i++) {
    bench.now += SECOND / 10;
    assertEquals(bench.send(udp({})).way, "whole");
    bench.deliver(bench.next());
  }
  bench.now += SECOND;
  const other = bench.send(udp({}));
  assertEquals(other.way, "reference");
  bench.deliver(other);
  assertEquals(bench.send(udp({ id: 1 })).way, "compressed");
  assertEquals(bench.next().way, "whole");
  // Flows whose buckets differ do not meet.
  assertEquals(bench.send(tcp({}), BUCKET + 1).way, "reference");
});

Deno.test("HeaderCompressor leaves alone what is no TCP or UDP, and begins with no SYN", () => {
  const bench = new Bench();
  const syn = bench.next({ flags: 2 });
  assertEquals(syn.way, "whole");
  const fragment = tcp({});
  fragment[7] = 1;
  assertEquals(bench.send(fragment).way, "whole");
  const icmp = tcp({});
  icmp[9] = 1;
  assertEquals(bench.send(icmp).way, "whole");
  assertEquals(bench.next().way, "reference");
});

Deno.test("HeaderCompressor.reset() sends everything whole again", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  const pending = bench.next();
  bench.compressor.reset();
  bench.compressor.handleDelivered(pending.slot);
  const first = bench.next();
  assertEquals(first.way, "reference");
  assertEquals(bench.next().way, "whole");
  bench.deliver(first);
  bench.deliver(bench.next());
});

Deno.test("HeaderCompressor.handleResent() makes no reference of one that was replaced", () => {
  const bench = new Bench();
  const lost = bench.next();
  bench.compressor.handleResent(lost.slot);
  assertEquals(bench.wayOf(lost.slot), "reference");
  bench.now += 4 * SECOND;
  const newer = bench.next();
  bench.deliver(newer);
  bench.compressor.handleResent(lost.slot);
  assertEquals(bench.wayOf(lost.slot), "whole");
  bench.deliver(lost);
  bench.deliver(bench.next());
});

Deno.test("HeaderCompressor.restore() makes of a packet what it was", () => {
  const bench = new Bench();
  const reference = bench.next();
  bench.compressor.restore(reference.slot);
  assertEquals(bench.pool.packet(reference.slot), reference.packet);
  bench.deliver(reference);
  const sent = bench.next();
  assertEquals(sent.way, "compressed");
  const { bytes } = bench.pool;
  markResent(bytes, bench.pool.at(sent.slot) + PLAIN_OFFSET, 7);
  bench.compressor.restore(sent.slot);
  assertEquals(bench.wayOf(sent.slot), "whole");
  assertEquals(bench.pool.packet(sent.slot), sent.packet);
});

Deno.test("HeaderReferences refuses what refers to nothing, or to what it has no more", () => {
  const bench = new Bench();
  const first = bench.next();
  bench.deliver(first);
  const old = bench.next();
  assertEquals(old.way, "compressed");
  const stranger = new Bench();
  assertEquals(stranger.references.expand(old.slot, 100), 0);
  for (let i = 0; i < 4; i++) {
    assertEquals(bench.arrive(old), old.packet);
    bench.now += SECOND;
    bench.deliver(bench.next());
  }
  assertEquals(bench.arrive(old), undefined);
});

Deno.test("HeaderCompressor keeps the reference in use while others are lost", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  for (let i = 0; i < 9; i++) {
    bench.now += 3 * SECOND;
    assertEquals(bench.next().way, "reference");
    const sent = bench.next();
    assertEquals(sent.way, "compressed");
    bench.deliver(sent);
  }
});

Deno.test("HeaderReferences is not led astray by a reference that comes late", () => {
  const bench = new Bench();
  const flow = (i: number): Uint8Array => {
    const packet = udp({ id: i });
    packet[20] = i;
    return packet;
  };
  const old = bench.send(flow(0));
  assertEquals(bench.arrive(old), old.packet);
  bench.compressor.handleDelivered(old.slot);
  for (let i = 1; i < 5; i++) {
    bench.now += SECOND;
    bench.deliver(bench.send(flow(i)));
  }
  bench.arrive(old);
  const last = bench.send(flow(4));
  assertEquals(last.way, "compressed");
  bench.deliver(last);
});

Deno.test("HeaderReferences expands nothing by a later reference of the same number", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  const heldBack = bench.next();
  assertEquals(heldBack.way, "compressed");
  for (let i = 0; i < 64; i++) {
    bench.now += SECOND;
    bench.deliver(bench.next());
  }
  assertEquals(bench.arrive(heldBack), undefined);
});

Deno.test("HeaderCompressor.restore() says when the reference is another one", () => {
  const bench = new Bench();
  bench.deliver(bench.next());
  const waits = bench.next();
  for (let i = 0; i < 4; i++) {
    bench.now += SECOND;
    bench.deliver(bench.next());
  }
  assertEquals(bench.compressor.restore(waits.slot), false);
});
