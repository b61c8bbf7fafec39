import { assert, assertEquals } from "@std/assert";
import { Initiator, type InitPayload, type LinkOffer, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk, type PskKeys } from "../../src/crypto/psk.ts";
import type { DropReason } from "../../src/drops.ts";
import { type Accepted, Acceptor } from "../../src/session/acceptor.ts";
import { readU32 } from "../../src/wire/field.ts";
import { Rng } from "../pair/rng.ts";

const ALICE = derivePsk(new Uint8Array(32).fill(1));
const BOB = derivePsk(new Uint8Array(32).fill(2));
const NOBODY = derivePsk(new Uint8Array(32).fill(3));

function offer(id: number): LinkOffer {
  return { id, tier: "primary", metered: false, uploadBps: 0, downloadBps: 0, name: "" };
}

function initOf(keys: PskKeys, at: number, change: Partial<InitPayload> = {}): Initiator {
  const payload = {
    timestamp: tai64n(at),
    version: 1,
    features: 0,
    mtu: 1400,
    links: [offer(0), offer(1)],
    ...change,
  };
  return new Initiator(keys, new Uint8Array(32).fill(at % 251 + 1), 77, payload);
}

class Bench {
  readonly acceptor: Acceptor;
  asked = 0;
  #id = 500;

  constructor() {
    const rng = new Rng(1);
    this.acceptor = new Acceptor([ALICE, BOB], (out) => rng.fill(out), () => {
      this.asked++;
      return { version: 1, features: 0, cipher: "chacha20poly1305", mtu: 1400 };
    });
  }

  handle(datagram: Uint8Array, now = 0): Accepted | DropReason {
    return this.acceptor.handleInit(now, datagram, () => this.#id++);
  }

  /** As {@linkcode handle}, where an answer is expected. */
  accept(datagram: Uint8Array): Accepted {
    const accepted = this.handle(datagram);
    assert(typeof accepted !== "string", String(accepted));
    return accepted;
  }
}

Deno.test("Acceptor.handleInit() tells its clients apart", () => {
  const bench = new Bench();
  assertEquals(bench.accept(initOf(BOB, 1).init(0)).client, 1);
  assertEquals(bench.accept(initOf(ALICE, 1).init(0)).client, 0);
  assertEquals(bench.handle(initOf(NOBODY, 1).init(0)), "unknown-client");
});

Deno.test("Acceptor.handleInit() gives copies of one INIT one answer, each with its link", () => {
  const bench = new Bench();
  const initiator = initOf(ALICE, 1);
  const first = bench.accept(initiator.init(0));
  const other = bench.accept(initOf(BOB, 1).init(0));
  const copy = bench.accept(initiator.init(1));
  assertEquals([first.copy, other.copy, copy.copy], [false, false, true]);
  assertEquals([first.response[1], copy.response[1]], [0, 1]);
  assertEquals(first.response.subarray(2, -16), copy.response.subarray(2, -16));
  assertEquals([first.responder.sessionId, copy.responder.sessionId], [500, 500]);
  assertEquals(readU32(copy.response, 6), 500);
  assertEquals(bench.asked, 2);
  assertEquals(bench.accept(initiator.init(0)).response, first.response, "and again");
});

Deno.test("Acceptor.handleInit() refuses a time stamp that is not later", () => {
  const bench = new Bench();
  const old = initOf(ALICE, 1_000_000);
  bench.accept(old.init(0));
  bench.accept(initOf(ALICE, 2_000_000).init(0));
  assertEquals(bench.handle(old.init(0)), "handshake-replay");
  assertEquals(bench.handle(initOf(ALICE, 1_500_000).init(0)), "handshake-replay");
  const same = initOf(ALICE, 2_000_000, { mtu: 1300 });
  assertEquals(bench.handle(same.init(0)), "handshake-replay");
  bench.accept(initOf(BOB, 1).init(0));
  bench.accept(initOf(ALICE, 2_000_001).init(0));
});

Deno.test("Acceptor.handleInit() wants this version and links 0, 1, 2 in order", () => {
  const bench = new Bench();
  const refused: Partial<InitPayload>[] = [
    { version: 2 },
    { links: [] },
    { links: [offer(1)] },
    { links: [offer(1), offer(0)] },
    { links: [offer(0), offer(2)] },
  ];
  for (const change of refused) {
    assertEquals(bench.handle(initOf(ALICE, 5, change).init(0)), "handshake-version");
  }
  bench.accept(initOf(ALICE, 1).init(0)); // a refused one does not move the time
});

Deno.test("Acceptor.handleInit() does not parse an INIT that is short, or changed on the way", () => {
  const bench = new Bench();
  const init = initOf(ALICE, 1).init(0);
  assertEquals(bench.handle(init.subarray(0, 97)), "short");
  for (let i = 0; i < init.length; i++) {
    const changed = init.slice();
    changed[i]! ^= 0x10;
    assert(typeof bench.handle(changed) === "string");
  }
  assertEquals(bench.asked, 0);
});

Deno.test("Acceptor.handleInit() looks at 200 INITs at once and at 2000 a second, then drops", () => {
  const bench = new Bench();
  const wrong = initOf(ALICE, 1).init(0);
  wrong[40]! ^= 1;
  const looked = (now: number): number => {
    let count = 0;
    while (bench.handle(wrong, now) === "handshake-mac") count++;
    return count;
  };
  assertEquals(looked(0), 200);
  assertEquals(looked(10_000), 20);
  assertEquals(looked(10_000_000), 200);
  assertEquals(bench.handle(wrong, 10_000_000), "handshake-rate");
  assertEquals(bench.handle(initOf(NOBODY, 1).init(0), 10_000_000), "unknown-client");
  bench.accept(initOf(BOB, 1).init(0)); // another client is not locked out
});
