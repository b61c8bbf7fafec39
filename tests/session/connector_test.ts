import { assert, assertEquals } from "@std/assert";
import { type InitPayload, respond, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import { Connector } from "../../src/session/connector.ts";
import { CookieJar } from "../../src/crypto/cookie.ts";
import { readU32 } from "../../src/wire/field.ts";
import { parseInitHeader, splitProof } from "../../src/wire/handshake.ts";
import { Rng } from "../pair/rng.ts";

const KEYS = derivePsk(new Uint8Array(32).fill(0x5a));
const SECOND = 1_000_000;
const ANSWER = { version: 1, features: 0, cipher: "chacha20poly1305", mtu: 1400 } as const;

function payload(now: number): InitPayload {
  return { timestamp: tai64n(now), version: 1, features: 0, mtu: 1400, links: [] };
}

function newConnector(): Connector {
  const rng = new Rng(3);
  let id = 100;
  return new Connector(KEYS, (out) => rng.fill(out), payload, () => id++);
}

/** The instants at which a connector that was started at 0 sends, up to `untilUs`. */
function sendTimes(connector: Connector, untilUs: number): number[] {
  const times: number[] = [];
  while (connector.dueAtUs < untilUs) {
    times.push(connector.dueAtUs);
    connector.poll(connector.dueAtUs, 1);
  }
  return times;
}

function answerTo(init: Uint8Array, link = 0): Uint8Array {
  return respond(KEYS, init, new Uint8Array(32).fill(9), () => 7, () => ANSWER)!.response(link);
}

Deno.test("Connector wants nothing before start() and after stop()", () => {
  const connector = newConnector();
  assertEquals([connector.active, connector.dueAtUs], [false, Infinity]);
  connector.start(5);
  assertEquals([connector.active, connector.dueAtUs], [true, 5]);
  connector.poll(5, 1);
  connector.start(6);
  assertEquals(connector.dueAtUs, 250_005, "a second start() changes nothing");
  connector.stop();
  assertEquals([connector.active, connector.dueAtUs], [false, Infinity]);
});

Deno.test("Connector.hurry() sends again at once, if anything is asked for", () => {
  const connector = newConnector();
  connector.hurry(5);
  assertEquals(connector.dueAtUs, Infinity);
  connector.start(5);
  connector.poll(5, 1);
  connector.hurry(7);
  assertEquals(connector.dueAtUs, 7);
});

Deno.test("Connector.poll() repeats after 0.25, 0.25, 0.5 and then every 1 s, and starts over after 5 s", () => {
  const connector = newConnector();
  connector.start(0);
  const attempt = [0, 0.25, 0.5, 1, 2, 3, 4];
  const expected = [...attempt, ...attempt.map((at) => 5 + at)].map((at) => at * SECOND);
  assertEquals(sendTimes(connector, 9.5 * SECOND), expected);
});

Deno.test("Connector.poll() gives every link the same message, with its own link id", () => {
  const connector = newConnector();
  connector.start(0);
  const [first, second] = connector.poll(0, 2);
  assertEquals([first![1], second![1]], [0, 1]);
  assertEquals(first!.subarray(2, -16), second!.subarray(2, -16));
  assertEquals(connector.poll(250_000, 2)[1], second, "and the same again");
});

Deno.test("Connector.poll() begins each attempt with a new id, key and later time stamp", () => {
  const connector = newConnector();
  connector.start(0);
  const [first] = connector.poll(0, 1);
  const [later] = connector.poll(5 * SECOND, 1);
  assertEquals([readU32(first!, 2), readU32(later!, 2)], [100, 101]);
  assert(first!.subarray(14, 46).toHex() !== later!.subarray(14, 46).toHex());
});

Deno.test("Connector.handleResponse() takes one answer and is done", () => {
  const connector = newConnector();
  assertEquals(connector.handleResponse(new Uint8Array(82)), undefined);
  connector.start(0);
  const [init] = connector.poll(0, 1);
  const connected = connector.handleResponse(answerTo(init!));
  assertEquals([connected?.localSessionId, connected?.remoteSessionId], [100, 7]);
  assertEquals(connector.active, false);
  assertEquals(connector.handleResponse(answerTo(init!, 1)), undefined, "by another link");
});

Deno.test("Connector.handleResponse() refuses the answer to an attempt that is over", () => {
  const connector = newConnector();
  connector.start(0);
  const [init] = connector.poll(0, 1);
  const [later] = connector.poll(5 * SECOND, 1);
  assertEquals(connector.handleResponse(answerTo(init!)), undefined);
  assert(connector.handleResponse(answerTo(later!)));
});

Deno.test("Connector.pollComplaint() complains after 3 s, then less and less often", () => {
  const connector = newConnector();
  assertEquals(connector.pollComplaint(SECOND), false);
  const complaints = (from: number, seconds: number): number[] =>
    Array.from({ length: seconds * 10 }, (_, i) => from + i * 100_000)
      .filter((now) => connector.pollComplaint(now)).map((now) => (now - from) / SECOND);
  connector.start(0);
  assertEquals(complaints(0, 1000), [3, 13, 33, 73, 153, 313, 613, 913]);
  connector.stop();
  assertEquals(connector.pollComplaint(2000 * SECOND), false);
  connector.start(3000 * SECOND);
  assertEquals(complaints(3000 * SECOND, 30), [3, 13], "as at first");
});

/** A server that wants cookies. */
class Asking {
  readonly #jar: CookieJar;

  constructor() {
    const rng = new Rng(4);
    this.#jar = new CookieJar((out) => rng.fill(out));
  }

  ask(now: number, link: number, datagram: Uint8Array): Uint8Array {
    const { init } = splitProof(datagram);
    return this.#jar.answer(
      now,
      KEYS,
      parseInitHeader(init)!,
      init,
      Uint8Array.of(192, 0, 2, link),
    );
  }

  isProven(now: number, link: number, datagram: Uint8Array): boolean {
    const { init, proof } = splitProof(datagram);
    return proof !== undefined &&
      this.#jar.verify(now, init, proof, Uint8Array.of(192, 0, 2, link));
  }
}

Deno.test("Connector answers a COOKIE at once, by its link, and proves its address from then on", () => {
  const [connector, server] = [newConnector(), new Asking()];
  connector.start(0);
  const inits = connector.poll(0, 2);
  const cookie = server.ask(0, 1, inits[1]!);
  assert(connector.handleCookie(10, cookie));
  assertEquals(connector.handleCookie(10, cookie), false, "a copy makes it send nothing");
  assert(connector.isHurried);
  const hurried = connector.pollHurried(10);
  assertEquals([...hurried.keys()], [1]);
  assert(server.isProven(10, 1, hurried.get(1)!));
  assertEquals(connector.isHurried, false);
  const [plain, proven] = connector.poll(connector.dueAtUs, 2);
  assertEquals([plain![0], server.isProven(10, 1, proven!)], [1, true]);
  assertEquals(server.isProven(10, 0, proven!), false, "another link has another address");
  // The next attempt still has it, and one after two minutes has not.
  assert(server.isProven(10, 1, connector.poll(6 * SECOND, 2)[1]!));
  assertEquals(connector.poll(121 * SECOND, 2)[1]![0], 1);
});

Deno.test("Connector reads no COOKIE but its server's, for what it has sent", () => {
  const [connector, server] = [newConnector(), new Asking()];
  connector.start(0);
  const [init] = connector.poll(0, 1);
  const cookie = server.ask(0, 0, init!);
  // A cookie that was changed proves nothing, so nothing tells whether it was: bytes 22 to 37.
  for (const bit of [...Array(22 * 8).keys(), ...Array(16 * 8).keys().map((i) => 38 * 8 + i)]) {
    const changed = cookie.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(connector.handleCookie(1, changed), false, `${bit}`);
  }
  for (let length = 0; length < cookie.length; length++) {
    assertEquals(connector.handleCookie(1, cookie.subarray(0, length)), false);
  }
  const other = newConnector();
  other.start(0);
  const [others] = other.poll(5 * SECOND, 1);
  assertEquals(connector.handleCookie(1, server.ask(0, 0, others!)), false, "of another INIT");
  assert(connector.handleCookie(1, cookie));
  connector.stop();
  assertEquals([connector.isHurried, connector.handleCookie(2, cookie)], [false, false]);
});
