import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isName } from "../../src/name.ts";
import {
  type InitPayload,
  isInit,
  isResponse,
  type LinkOffer,
  MAX_INIT_BYTES,
  MAX_NAME_BYTES,
  MAX_OFFERED_LINKS,
  MIN_INIT_BYTES,
  NOISE_OVERHEAD_BYTES,
  parseInitHeader,
  parseInitPayload,
  parseResponseHeader,
  parseResponsePayload,
  RESPONSE_BYTES,
  TIERS,
  writeInitHeader,
  writeInitPayload,
  writeResponseHeader,
  writeResponsePayload,
} from "../../src/wire/handshake.ts";

/** Header, Noise and MAC around the payload of an INIT. */
const AROUND_BYTES = 14 + NOISE_OVERHEAD_BYTES + 16;

function link(changes: Partial<LinkOffer> = {}): LinkOffer {
  const plain = { id: 0, tier: "primary", metered: false, uploadBps: 0, downloadBps: 0, name: "" };
  return { ...plain, ...changes } as LinkOffer;
}

function payload(links: LinkOffer[]): InitPayload {
  const timestamp = new Uint8Array(12).fill(7);
  return { timestamp, version: 1, features: 1, mtu: 1420, links };
}

Deno.test("writeInitPayload() writes the bytes of docs/protocol.md", () => {
  const dsl = link({ id: 3, tier: "backup", metered: true, uploadBps: 10_000_000, name: "dsl" });
  assertEquals(
    writeInitPayload(payload([dsl])).toHex(),
    "070707070707070707070707" + // time stamp
      "01" + "00000001" + "058c" + "01" + // version, features, mtu, links
      "03" + "02" + "01" + "00002710" + "00000000" + "03" + "64736c",
  );
});

Deno.test("parseInitPayload() reads what writeInitPayload() wrote", () => {
  const links = fc.uniqueArray(
    fc.record({
      id: fc.nat(255),
      tier: fc.constantFrom(...TIERS),
      metered: fc.boolean(),
      uploadBps: fc.nat(0xffff_ffff).map((kilobits) => kilobits * 1000),
      downloadBps: fc.nat(0xffff_ffff).map((kilobits) => kilobits * 1000),
      name: fc.stringMatching(/^([A-Za-z0-9][A-Za-z0-9_-]{0,9})?$/),
    }),
    { selector: (offer) => offer.id, maxLength: 20 },
  );
  fc.assert(fc.property(links, (offers) => {
    assertEquals(parseInitPayload(writeInitPayload(payload(offers))), payload(offers));
  }));
});

Deno.test("writeInitPayload() says of a spare link that it is one", () => {
  const spare = link({ id: 4, metered: true, spare: true });
  const bytes = writeInitPayload(payload([spare]));
  assertEquals(bytes.subarray(20).toHex(), "04" + "00" + "03" + "00000000".repeat(2) + "00");
  assertEquals(parseInitPayload(bytes)!.links, [spare]);
});

Deno.test("writeInitPayload() rounds capacities up to a kbit/s and stops at 32 bits", () => {
  const bytes = writeInitPayload(payload([link({ uploadBps: 1, downloadBps: 1e20 })]));
  const [offer] = parseInitPayload(bytes)!.links;
  assertEquals([offer!.uploadBps, offer!.downloadBps], [1000, 0xffff_ffff * 1000]);
});

Deno.test("writeInitPayload() cuts a long name before a character, not in it", () => {
  const bytes = writeInitPayload(payload([link({ name: "線".repeat(20) })]));
  const name = new TextDecoder().decode(bytes.subarray(20 + 12));
  assertEquals(name, "線".repeat(Math.floor(MAX_NAME_BYTES / 3)));
});

Deno.test("writeInitPayload() drops names from the end, then links, to stay in bounds", () => {
  for (const count of [0, 1, 24, 25, 40, MAX_OFFERED_LINKS, MAX_OFFERED_LINKS + 1, 250]) {
    const offers = Array.from(
      { length: count },
      (_, id) => link({ id, name: `name-${id}`.padEnd(32, "x") }),
    );
    const bytes = writeInitPayload(payload(offers));
    assert(bytes.length + AROUND_BYTES <= MAX_INIT_BYTES, `${count} links`);
    const { links } = parseInitPayload(bytes)!;
    assertEquals(links.map(({ id }) => id), offers.slice(0, MAX_OFFERED_LINKS).map(({ id }) => id));
    const named = links.filter(({ name }) => name !== "").length;
    assertEquals(
      links.slice(0, named).map(({ name }) => name),
      offers.slice(0, named).map(({ name }) => name),
    );
    assert(named === links.length || bytes.length + AROUND_BYTES > MAX_INIT_BYTES - 32, `${count}`);
  }
});

Deno.test("parseInitPayload() ignores what later versions append", () => {
  const bytes = writeInitPayload(payload([link()]));
  assertEquals(parseInitPayload(new Uint8Array([...bytes, 1, 2, 3])), payload([link()]));
});

Deno.test("parseInitPayload() refuses every truncation", () => {
  const bytes = writeInitPayload(payload([link({ name: "a" }), link({ id: 1, name: "bc" })]));
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(parseInitPayload(bytes.subarray(0, length)), undefined, `${length}`);
  }
});

Deno.test("parseInitPayload() refuses an unknown tier, a name too long and an id given twice", () => {
  const bytes = writeInitPayload(payload([link({ name: "n".repeat(32) })]));
  const refused = (at: number, value: number): void => {
    const changed = new Uint8Array([...bytes, ...new Uint8Array(8)]);
    changed[at] = value;
    assertEquals(parseInitPayload(changed), undefined);
  };
  refused(21, 3);
  refused(31, 33);
  assertEquals(parseInitPayload(writeInitPayload(payload([link(), link()]))), undefined);
});

Deno.test("parseInitPayload() makes names plain: they go to terminals and scripts", () => {
  const names = {
    "\u001b[31mevil\u0007\u202e\u0085": "__31mevil___",
    "$(reboot) 49_1": "__reboot__49_1",
    "-rf": "_rf",
    "eth0.7": "eth0_7",
    "/../": "",
    "線": "",
  };
  for (const [name, plain] of Object.entries(names)) {
    const [offer] = parseInitPayload(writeInitPayload(payload([link({ name })])))!.links;
    assertEquals(offer!.name, plain);
    assert(plain === "" || isName(plain));
  }
});

Deno.test("parseInitPayload() and parseResponsePayload() take any bytes without throwing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    parseInitPayload(bytes);
    parseResponsePayload(bytes);
    isInit(bytes);
    isResponse(bytes);
  }));
});

Deno.test("parseResponsePayload() reads what writeResponsePayload() wrote", () => {
  const response = { version: 1, features: 0x8000_0001, cipher: 2, mtu: 65535 };
  const bytes = writeResponsePayload(response);
  assertEquals(bytes.toHex(), "018000000102ffff");
  assertEquals(parseResponsePayload(bytes), response);
  assertEquals(parseResponsePayload(new Uint8Array([...bytes, 9])), response);
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(parseResponsePayload(bytes.subarray(0, length)), undefined);
  }
});

Deno.test("isInit() and isResponse() tell the types apart by type and length", () => {
  const init = new Uint8Array(MIN_INIT_BYTES);
  writeInitHeader(init, 2, 0x01020304, new Uint8Array(8).fill(9));
  assertEquals(init.subarray(0, 15).toHex(), "0102010203040909090909090909" + "00");
  assertEquals([isInit(init), isResponse(init)], [true, false]);
  const response = new Uint8Array(RESPONSE_BYTES);
  writeResponseHeader(response, 2, 0xfffefdfc, 0x01020304);
  assertEquals(response.subarray(0, 11).toHex(), "0202fffefdfc01020304" + "00");
  assertEquals([isInit(response), isResponse(response)], [false, true]);
  assertEquals(isInit(init.subarray(1)), false);
  assertEquals(isResponse(response.subarray(0, RESPONSE_BYTES - 1)), false);
});

Deno.test("parseInitHeader() and parseResponseHeader() read what was written, and nothing shorter", () => {
  const init = new Uint8Array(MIN_INIT_BYTES);
  const hint = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  writeInitHeader(init, 2, 0xfffefdfc, hint);
  assertEquals(parseInitHeader(init), { linkId: 2, sessionId: 0xfffefdfc, hint });
  assertEquals(parseInitHeader(init.subarray(1)), undefined);
  const response = new Uint8Array(RESPONSE_BYTES);
  writeResponseHeader(response, 2, 0xfffefdfc, 0x01020304);
  const ids = { receiverId: 0xfffefdfc, senderId: 0x01020304 };
  assertEquals(parseResponseHeader(response), ids);
  assertEquals(parseResponseHeader(response.subarray(1)), undefined);
  assertEquals([parseInitHeader(response), parseResponseHeader(init)], [undefined, undefined]);
});

Deno.test("RESPONSE_BYTES is less than MIN_INIT_BYTES, so that no answer amplifies", () => {
  assert(RESPONSE_BYTES < MIN_INIT_BYTES);
});
