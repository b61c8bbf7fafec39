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

const HERE = Uint8Array.of(192, 0, 2, 1, 5080 >> 8, 5080 & 255);
const ELSEWHERE = Uint8Array.of(192, 0, 2, 2, 5080 >> 8, 5080 & 255);

const ANSWER = { version: 1, features: 0, cipher: "chacha20poly1305", mtu: 1400 } as const;

class Bench {
  readonly acceptor: Acceptor;
  asked = 0;
  readonly cookies: Uint8Array[] = [];
  #id = 500;

  constructor() {
    const rng = new Rng(1);
    this.acceptor = new Acceptor([ALICE, BOB], (out) => rng.fill(out), () => {
      this.asked++;
      return ANSWER;
    });
  }

  handle(datagram: Uint8Array, now = 0, from = HERE): Accepted | DropReason | "cookie" {
    const result = this.acceptor.handleInit(now, datagram, from, () => this.#id++);
    if (typeof result === "string" || !("cookie" in result)) return result;
    this.cookies.push(result.cookie);
    return "cookie";
  }

  /** As {@linkcode handle}, where an answer is expected. */
  accept(datagram: Uint8Array, now = 0, from = HERE): Accepted {
    const accepted = this.handle(datagram, now, from);
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
    changed[i]! ^= 0x20;
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

Deno.test("Acceptor.handleInit() answers 10 new handshakes of a client at once and 5 a second", () => {
  const bench = new Bench();
  let stamp = 0;
  const answered = (now: number): number => {
    let count = 0;
    for (let i = 0; i < 12; i++) {
      if (typeof bench.handle(initOf(ALICE, ++stamp * 1000).init(0), now) === "object") count++;
    }
    return count;
  };
  assertEquals(answered(0), 10);
  assertEquals(answered(2_000_000), 10);
  assertEquals(answered(3_000_000), 5);
  bench.accept(initOf(BOB, 1).init(0), 3_000_000); // another client is not locked out
  // One that was refused has not moved the time stamp: it may be sent again.
  const init = initOf(ALICE, ++stamp * 1000).init(0);
  assertEquals(bench.handle(init, 3_000_000), "handshake-rate");
  bench.accept(init, 4_000_000);
});

Deno.test("Acceptor.handleInit() opens 20 old INITs, then asks for a cookie, whoever sends them", () => {
  const bench = new Bench();
  const old = initOf(ALICE, 1_000_000).init(0);
  bench.accept(initOf(ALICE, 2_000_000).init(0));
  const results = Array.from({ length: 40 }, () => bench.handle(old, 0, ELSEWHERE));
  assertEquals(results.filter((result) => result === "handshake-replay").length, 19);
  assertEquals(results.at(-1), "cookie");
  for (const cookie of bench.cookies) assert(cookie.length < old.length, "no amplification");
});

Deno.test("a client that answers with the cookie is heard while anybody replays its INITs", () => {
  const bench = new Bench();
  const old = initOf(ALICE, 1_000_000).init(0);
  bench.accept(initOf(ALICE, 2_000_000).init(0));
  const flood = (): void => {
    for (let i = 0; i < 60; i++) bench.handle(old, 0, ELSEWHERE);
  };
  flood();
  const initiator = initOf(ALICE, 3_000_000);
  assertEquals(bench.handle(initiator.init(0)), "cookie");
  const cookie = initiator.handleCookie(bench.cookies.at(-1)!, initiator.init(0));
  assert(cookie);
  flood();
  const proven = initiator.init(0, cookie);
  assertEquals(bench.handle(proven, 0, ELSEWHERE), "cookie", "it is for one address");
  const accepted = bench.accept(proven);
  assertEquals([accepted.client, accepted.copy], [0, false]);
  assert(initiator.handleResponse(accepted.response));
  // Whoever replays the proof is bounded as well, and takes nothing from others.
  bench.accept(initOf(ALICE, 4_000_000).init(0, cookie));
  const replays = Array.from({ length: 40 }, () => bench.handle(proven));
  assertEquals(replays.filter((result) => result === "handshake-replay").length, 18);
});

Deno.test("a cookie of the last four minutes is recognized, and none of before", () => {
  for (const [age, expected] of [[100, "object"], [230, "object"], [250, "string"]] as const) {
    const bench = new Bench();
    const empty = (now: number): void => {
      for (let i = 0; i < 25; i++) bench.handle(initOf(ALICE, 1).init(0), now, ELSEWHERE);
    };
    bench.accept(initOf(ALICE, 2).init(0));
    empty(0);
    const initiator = initOf(ALICE, 3_000_000);
    assertEquals(bench.handle(initiator.init(0)), "cookie");
    const cookie = initiator.handleCookie(bench.cookies.at(-1)!, initiator.init(0))!;
    const now = age * 1_000_000;
    empty(now - 120_000_000);
    empty(now);
    assertEquals(typeof bench.handle(initiator.init(0, cookie), now), expected, `${age} s`);
  }
});

Deno.test("Acceptor.handleInit() finds its client among 1,000 as fast as among two", () => {
  const many = Array.from({ length: 1000 }, (_, i) => {
    const psk = new Uint8Array(32);
    psk.set([i >> 8, i & 255]);
    return derivePsk(psk);
  });
  const rng = new Rng(1);
  const acceptor = new Acceptor(many, (out) => rng.fill(out), () => ANSWER);
  const accepted = acceptor.handleInit(0, initOf(many[777]!, 1).init(0), HERE, () => 7);
  assert(typeof accepted === "object" && "client" in accepted);
  assertEquals(accepted.client, 777);
  acceptor.remove(3);
  acceptor.add(NOBODY);
  const again = acceptor.handleInit(0, initOf(many[777]!, 2_000_000).init(0), HERE, () => 8);
  assertEquals([typeof again, acceptor.client], ["object", 776]);
  assertEquals(typeof acceptor.handleInit(0, initOf(NOBODY, 1).init(0), HERE, () => 9), "object");
  assertEquals(acceptor.client, 999);
  assertEquals(
    acceptor.handleInit(0, initOf(many[3]!, 1).init(0), HERE, () => 9),
    "unknown-client",
  );
});
