import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  FRAME_HEADER_BYTES,
  LINK_BYTES,
  LinkUpdate,
  MAX_LINK_BYTES,
  parseLinkUpdate,
  writeLinkUpdate,
} from "../../src/wire/frame.ts";
import { TIERS } from "../../src/wire/handshake.ts";

/** Bytes that are not the frame's: they must neither be read nor change. */
const DIRT = 0xa5;
const FRESH = { ...new LinkUpdate() };

const anyUpdate = fc.record({
  linkId: fc.nat(0xff),
  tier: fc.constantFrom(...TIERS),
  metered: fc.boolean(),
  gone: fc.boolean(),
  name: fc.constantFrom("", "wwan0", "dsl", "eth0_100", "n".repeat(32)),
});
const PLAIN = { linkId: 7, tier: "overflow", metered: true, gone: false, name: "" } as const;

function parse(payload: readonly number[], length = payload.length): LinkUpdate | undefined {
  const update = new LinkUpdate();
  const good = parseLinkUpdate(Uint8Array.from([...payload, DIRT]), 0, length, update);
  if (!good) assertEquals({ ...update }, FRESH, "left alone");
  return good ? update : undefined;
}

Deno.test("writeLinkUpdate() writes every field where it belongs", () => {
  const bytes = new Uint8Array(9).fill(DIRT);
  assertEquals(writeLinkUpdate(bytes, 2, PLAIN), 8);
  assertEquals(bytes.toHex(), "a5a5" + "06" + "0003" + "07" + "01" + "01" + "a5");
  const named = new Uint8Array(11).fill(DIRT);
  assertEquals(writeLinkUpdate(named, 0, { ...PLAIN, gone: true, name: "up" }), 9);
  assertEquals(named.toHex(), "06" + "0006" + "07" + "01" + "03" + "02" + "7570" + "a5a5");
});

Deno.test("parseLinkUpdate() reads what writeLinkUpdate() wrote, into one that was used before", () => {
  const back = new LinkUpdate();
  fc.assert(fc.property(anyUpdate, fc.nat(9), (update, at) => {
    const bytes = new Uint8Array(64).fill(DIRT);
    const end = writeLinkUpdate(bytes, at, update);
    const length = end - at - FRAME_HEADER_BYTES;
    assert(parseLinkUpdate(bytes, at + FRAME_HEADER_BYTES, length, back));
    assertEquals({ ...back }, update);
    assertEquals(length, LINK_BYTES + (update.name === "" ? 0 : 1 + update.name.length));
    assert(end - at <= MAX_LINK_BYTES);
    assertEquals(bytes.findLastIndex((byte, i) => byte !== DIRT && i >= end), -1);
  }));
});

Deno.test("parseLinkUpdate() refuses every truncation and skips what a later version appends", () => {
  for (let length = 0; length < LINK_BYTES; length++) {
    assertEquals(parse([1, 2, 1], length), undefined);
  }
  const backup = { ...PLAIN, linkId: 1, tier: "backup" } as const;
  assertEquals({ ...parse([1, 2, 1, 0, 9, 9]) }, backup);
  assertEquals({ ...parse([1, 2, 1, 1, 0x61, 9]) }, { ...backup, name: "a" });
});

Deno.test("parseLinkUpdate() refuses tiers that it does not know, and ignores flags that it does not", () => {
  assertEquals(parse([1, 3, 0]), undefined);
  assertEquals(parse([1, 255, 0]), undefined);
  assertEquals({ ...parse([1, 0, 0xfc]) }, { ...new LinkUpdate(), linkId: 1 });
});

Deno.test("parseLinkUpdate() refuses names that do not end, or are too long", () => {
  for (let length = LINK_BYTES + 1; length < 8; length++) {
    assertEquals(parse([1, 2, 1, 4, 0x77, 0x77, 0x61, 0x6e], length), undefined);
  }
  assertEquals(parse([1, 2, 1, 33, ...Array(33).fill(0x61)]), undefined);
  assertEquals(parse([1, 2, 1, 3, 0x1b, 0x5b, 0x41])?.name, "__A", "as in an INIT");
});

Deno.test("parseLinkUpdate() of a frame with any bit flipped never throws and gives a tier or nothing", () => {
  for (let bit = 0; bit < LINK_BYTES * 8; bit++) {
    const payload = [1, 2, 1];
    payload[bit >> 3] = payload[bit >> 3]! ^ 0x80 >> (bit & 7);
    const update = parse(payload);
    const [, tier, flags] = payload;
    const isLast = tier === TIERS.indexOf("backup") && (flags! & 4) !== 0;
    assertEquals(update?.tier, isLast ? "last" : TIERS[tier!]);
  }
});

Deno.test("parseLinkUpdate() of any bytes never throws and never looks beyond its length", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 8 }), (payload) => {
    const results = [0x00, 0xff].map((dirt) => {
      const bytes = new Uint8Array(payload.length + 8).fill(dirt);
      bytes.set(payload, 5);
      const update = new LinkUpdate();
      return [parseLinkUpdate(bytes, 5, payload.length, update), { ...update }];
    });
    assertEquals(results[0], results[1]);
  }));
});
