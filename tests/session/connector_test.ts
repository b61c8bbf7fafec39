import { assert, assertEquals } from "@std/assert";
import { type InitPayload, respond, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import { Connector } from "../../src/session/connector.ts";
import { readU32 } from "../../src/wire/field.ts";
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
