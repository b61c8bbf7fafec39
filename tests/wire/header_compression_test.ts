import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { sumOfBytes } from "../../src/wire/checksum.ts";
import { writeU16 } from "../../src/wire/field.ts";
import { compressHeader, MAX_COMPRESSED_BYTES } from "../../src/wire/header_compression.ts";
import { HeaderReader } from "../../src/wire/header_reader.ts";
import { parseTransport, TransportInfo } from "../../src/wire/transport.ts";
import vectors from "../vectors/frames.json" with { type: "json" };
import { type Fields, KINDS, stamps } from "./flow_packets.ts";

const DIRT = 0xa5;
const MOST = 1984;
const IPV4_TCP = 20;

function headerBytesOf(packet: Uint8Array): number {
  const info = new TransportInfo();
  assert(parseTransport(packet, 0, packet.length, info), "no such packet");
  return info.headerBytes;
}

/** The compressed packet; undefined when it cannot refer to `reference`. */
function compressed(
  packet: Uint8Array,
  reference: Uint8Array,
  checksum = true,
): Uint8Array | undefined {
  const out = new Uint8Array(MAX_COMPRESSED_BYTES);
  const memory = new Uint8Array([DIRT, ...packet]);
  const kept = new Uint8Array([DIRT, DIRT, ...reference]);
  const length = compressHeader(memory, 1, checksum, kept, 2, out);
  if (length === 0) return undefined;
  return new Uint8Array([...out.subarray(0, length), ...packet.subarray(headerBytesOf(packet))]);
}

/** What comes of a compressed packet that lies in the middle of something else. */
function expanded(
  bytes: Uint8Array,
  reference: Uint8Array,
  checksum = true,
): Uint8Array | undefined {
  const memory = new Uint8Array(MOST + 20).fill(DIRT);
  memory.set(bytes, 10);
  const reader = new HeaderReader();
  const end = 10 + bytes.length;
  const kept = new Uint8Array([DIRT, ...reference]);
  if (!reader.read(memory, 10, end, checksum, kept, 1, headerBytesOf(reference))) return undefined;
  const length = reader.expand(memory, 10, end, MOST);
  if (length === 0) return undefined;
  assertEquals([...memory.subarray(0, 10)], new Array(10).fill(DIRT));
  assert(memory.subarray(10 + Math.max(length, bytes.length)).every((byte) => byte === DIRT));
  return memory.slice(10, 10 + length);
}

const REFERENCE: Fields = {
  id: 7,
  sequence: 1000,
  acknowledgment: 5000,
  options: stamps(100, 50),
  payload: [1, 2, 3],
};

Deno.test("compressHeader() writes what differs, in the order of the mask", () => {
  const v4 = KINDS["TCP over IPv4"];
  const reference = v4(REFERENCE);
  const hexOf = (fields: Fields, checksum = true): string | undefined =>
    compressed(v4({ ...REFERENCE, ...fields }), reference, checksum)?.toHex();
  assertEquals(hexOf({}), "00" + "beef" + "010203");
  assertEquals(hexOf({}, false), "00" + "010203");
  // What a download sends: id, sequence, time stamps.
  const next = { id: 8, sequence: 2000, options: stamps(110, 55) };
  assertEquals(hexOf(next, false), "46" + "0008" + "e807" + "0a" + "05" + "010203");
  // ... and what it gets.
  const answer = { acknowledgment: 305_000, window: 501, payload: [] };
  assertEquals(hexOf(answer, false), "28" + "e0a712" + "01f5");
  assertEquals(hexOf({ class: 3, ttl: 63, flags: 0x18 }), "11" + "033f" + "18" + "beef" + "010203");
  const sack = [1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0];
  assertEquals(
    hexOf({ options: [...stamps(100, 50), ...sack] }, false),
    "80" + "06" + "0101080a" + "00000064" + "00000032" + "0101050a" + "00000100" + "00000200" +
      "010203",
  );
  assertEquals(hexOf({ options: [] }, false), "80" + "00" + "010203");
  // What was sent before the reference.
  assertEquals(hexOf({ sequence: 999, payload: [] }, false), "04" + "ffffffff0f");
});

Deno.test("compressHeader() and HeaderReader agree with the vectors of docs/protocol.md", () => {
  for (const vector of vectors.compressed) {
    const [reference, packet] = [vector.reference, vector.packet].map((hex) =>
      Uint8Array.fromHex(hex)
    ) as [Uint8Array, Uint8Array];
    assertEquals(compressed(packet, reference)?.toHex(), vector.compressed);
    const short = Uint8Array.fromHex(vector.compressed);
    assertEquals(expanded(short, reference)?.toHex(), vector.packet);
  }
});

Deno.test("compressHeader() writes the class of IPv6, and of UDP the checksum", () => {
  const v6 = KINDS["UDP over IPv6"];
  const packet = v6({ class: 0xb8, ttl: 1, payload: [9] });
  assertEquals(compressed(packet, v6({}))?.toHex(), "01" + "b801" + "beef" + "09");
  const v4 = KINDS["UDP over IPv4"];
  assertEquals(compressed(v4({ id: 2, checksum: 0 }), v4({}))?.toHex(), "02" + "0002" + "0000");
});

Deno.test("compressHeader() refuses what is of another flow, or differs where nothing may", () => {
  for (const [name, packetOf] of Object.entries(KINDS)) {
    const reference = packetOf(REFERENCE);
    const isV4 = name.endsWith("4");
    const transport = isV4 ? IPV4_TCP : 40;
    const static4 = [6, 12, 15, 16, 19];
    const static6 = [1, 2, 3, 8, 23, 24, 39];
    const tcpOnly = name.startsWith("TCP") ? [transport + 12, transport + 18] : [];
    const places = [...isV4 ? static4 : static6, transport, transport + 3, ...tcpOnly];
    for (const place of places) {
      const packet = packetOf(REFERENCE);
      packet[place] = packet[place]! ^ 1;
      if (isV4) {
        writeU16(packet, 10, 0);
        writeU16(packet, 10, ~sumOfBytes(packet, 0, 20));
      }
      assertEquals(compressed(packet, reference), undefined, `${name}, byte ${place}`);
    }
    for (const other of Object.values(KINDS)) {
      if (other !== packetOf) assertEquals(compressed(other(REFERENCE), reference), undefined);
    }
  }
  const wrong = KINDS["TCP over IPv4"](REFERENCE);
  wrong[11] = wrong[11]! ^ 1;
  assertEquals(compressed(wrong, KINDS["TCP over IPv4"](REFERENCE)), undefined, "wrong checksum");
});

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 300 }));
const options = fc.oneof(
  fc.tuple(u32, u32).map(([value, echo]) => stamps(value, echo)),
  fc.integer({ min: 0, max: 10 }).chain((words) =>
    fc.array(u8, { minLength: 4 * words, maxLength: 4 * words })
  ),
);
const fields: fc.Arbitrary<Fields> = fc.record({
  class: u8,
  ttl: u8,
  id: u16,
  sequence: u32,
  acknowledgment: u32,
  flags: u8,
  window: u16,
  checksum: u16,
  options,
  payload: fc.array(u8, { maxLength: 40 }),
});

Deno.test("HeaderReader makes of a compressed packet what it was, bit by bit", () => {
  for (const packetOf of Object.values(KINDS)) {
    fc.assert(fc.property(fields, fields, fc.boolean(), (one, other, checksum) => {
      const reference = packetOf(one);
      const packet = packetOf(checksum ? other : { ...other, checksum: one.checksum! });
      const short = compressed(packet, reference, checksum);
      assert(short);
      assertEquals(expanded(short, reference, checksum), packet);
    }));
  }
});

Deno.test("HeaderReader refuses a header that is cut short anywhere", () => {
  const packetOf = KINDS["TCP over IPv4"];
  const other = { ...REFERENCE, class: 1, id: 9, sequence: 9, acknowledgment: 9, flags: 1 };
  for (const options of [stamps(200, 300), [3, 3, 7, 0]]) {
    const packet = packetOf({ ...other, window: 1, options, payload: [] });
    const short = compressed(packet, packetOf(REFERENCE))!;
    for (let length = 0; length < short.length; length++) {
      const bytes = short.subarray(0, length);
      assertEquals(expanded(bytes, packetOf(REFERENCE)), undefined, `${length}`);
    }
  }
});

Deno.test("HeaderReader of any bytes never throws, and leaves the rest of the memory alone", () => {
  for (const packetOf of Object.values(KINDS)) {
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(fc.property(bytes, fields, fc.boolean(), (bytes, one, checksum) => {
      const reference = packetOf(one);
      const packet = expanded(bytes, reference, checksum);
      if (packet) parseTransport(packet, 0, packet.length, new TransportInfo());
    }));
  }
  // Ten words of options are the most; a number has five bytes at most; UDP has no sequence.
  const reference = KINDS["TCP over IPv4"]({});
  assertEquals(expanded(Uint8Array.of(0x80, 11, ...new Array(44).fill(0)), reference), undefined);
  assertEquals(expanded(Uint8Array.of(4, ...new Array(20).fill(0xff)), reference), undefined);
  assertEquals(expanded(Uint8Array.of(0x40, 1, 1, 0, 0), reference), undefined, "no time stamps");
  assertEquals(expanded(Uint8Array.of(4, 0, 0, 0), KINDS["UDP over IPv4"]({})), undefined);
  assertEquals(expanded(Uint8Array.of(2, 0, 0, 0, 0), KINDS["UDP over IPv6"]({})), undefined);
});

Deno.test("HeaderReader.expand() makes no packet longer than it may be", () => {
  const reference = KINDS["TCP over IPv4"](REFERENCE);
  const payload = new Array(MOST - 52).fill(1);
  const fits = compressed(KINDS["TCP over IPv4"]({ ...REFERENCE, payload }), reference)!;
  assertEquals(expanded(fits, reference)!.length, MOST);
  assertEquals(expanded(Uint8Array.of(...fits, 1), reference), undefined);
});
