import { assert, assertEquals, assertFalse } from "@std/assert";
import { InFlight, RING_ENTRIES } from "../../src/links/in_flight.ts";

const MS = 1000;
const nothing = (): void => {};

/** A flight of `count` packets of 100 bytes, one a millisecond; slot and number are the same. */
function flightOf(count: number, slot = (number: number): number => number): InFlight {
  const flight = new InFlight();
  for (let i = 0; i < count; i++) flight.push(i * MS, slot(i), 100, 0);
  return flight;
}

function lost(flight: InFlight): number[] {
  const slots: number[] = [];
  flight.detectLoss((slot) => slots.push(slot));
  return slots;
}

Deno.test("InFlight.largeLost counts on while only smaller ones arrive", () => {
  const flight = new InFlight();
  const send = (bytes: number): number => {
    flight.push(flight.next * 10_000, 1, bytes, 0);
    return flight.next - 1;
  };
  for (let i = 0; i < 3; i++) {
    send(1500);
    const small = send(1450);
    flight.acknowledge(small, small, () => {});
    flight.detectLoss(() => {});
  }
  assertEquals(flight.largeLost, 3);
  const large = send(1500);
  flight.acknowledge(large, large, () => {});
  assertEquals(flight.largeLost, 0);
});

Deno.test("InFlight counts packets and their bytes, not control datagrams", () => {
  const flight = flightOf(3);
  flight.push(3 * MS, -1, 900, 0);
  assertEquals([flight.packets, flight.bytes, flight.next], [3, 300, 4]);
  assertEquals(flight.acknowledge(0, 3, nothing), 4);
  assertEquals([flight.packets, flight.bytes, flight.ackedDatagrams], [0, 0, 4]);
});

Deno.test("InFlight.acknowledge() releases each packet once, however often it is acknowledged", () => {
  const flight = flightOf(4);
  const released: number[] = [];
  const news = [[1, 2], [0, 2], [0, 3], [0, 3]].map(([low, high]) =>
    flight.acknowledge(low!, high!, (slot) => released.push(slot))
  );
  assertEquals([news, released], [[2, 1, 1, 0], [1, 2, 0, 3]]);
});

Deno.test("InFlight.acknowledge() ignores numbers that were never sent", () => {
  const flight = flightOf(2);
  assertEquals(flight.acknowledge(2, 50, nothing), 0);
  assertEquals(flight.acknowledge(-9, -1, nothing), 0);
  assertEquals([flight.newestAcked, flight.packets], [-1, 2]);
  assertEquals(flight.acknowledge(1, 50, nothing), 1);
  assertEquals(flight.newestAcked, 1);
});

Deno.test("InFlight.detectLoss() waits until a packet was overtaken by more than 1 ms", () => {
  const flight = new InFlight();
  for (const [at, slot] of [[0, 10], [500, 11], [999, 12], [1000, 13]]) {
    flight.push(at!, slot!, 100, 0);
  }
  assertEquals(lost(flight), []);
  flight.acknowledge(2, 2, nothing);
  assertEquals(lost(flight), []);
  flight.acknowledge(3, 3, nothing);
  assertEquals(lost(flight), [10]);
  assertEquals([flight.lostDatagrams, flight.packets, flight.oldestSentAtUs], [1, 1, 500]);
});

Deno.test("InFlight.detectLoss() reports the tail as lost only once something after it has arrived", () => {
  const flight = flightOf(5);
  flight.acknowledge(1, 1, nothing);
  assertEquals(lost(flight), [0]);
  flight.acknowledge(4, 4, nothing);
  assertEquals(lost(flight), [2, 3]);
});

Deno.test("InFlight learns from a packet that was declared lost and arrived", () => {
  const flight = flightOf(20);
  flight.acknowledge(8, 8, nothing); // 8 ms later than packet 0
  assertEquals(lost(flight), [0, 1, 2, 3, 4, 5, 6, 7]);
  assertEquals(flight.acknowledge(0, 7, () => assert(false, "released twice")), 8);
  assertEquals([flight.lostDatagrams, flight.ackedDatagrams], [0, 9]);
  flight.acknowledge(18, 18, nothing); // reordering of 8 ms is expected with a quarter to spare
  assertEquals(lost(flight), []);
  flight.acknowledge(19, 19, nothing);
  assertEquals(lost(flight), [9]);
});

Deno.test("InFlight never expects reordering of more than 100 ms", () => {
  const flight = new InFlight();
  for (const ms of [0, 5000, 5001, 5101, 5102]) flight.push(ms * MS, ms, 100, 0);
  flight.acknowledge(1, 1, nothing);
  assertEquals(lost(flight), [0]);
  flight.acknowledge(0, 0, nothing);
  flight.acknowledge(3, 3, nothing);
  assertEquals(lost(flight), [5001]);
});

Deno.test("InFlight.abandon() gives every packet up; a late acknowledgement frees none twice", () => {
  const flight = flightOf(3);
  const given: number[] = [];
  flight.abandon((slot) => given.push(slot));
  assertEquals([given, flight.packets, flight.bytes], [[0, 1, 2], 0, 0]);
  assertEquals(flight.oldestSentAtUs, Infinity);
  assertEquals(flight.acknowledge(0, 2, (slot) => given.push(slot)), 3);
  flight.abandon((slot) => given.push(slot));
  assertEquals([given.length, flight.lostDatagrams, flight.newestAcked], [3, 0, 2]);
});

Deno.test("InFlight.oldestSentAtUs is of the oldest packet, behind control and what is settled", () => {
  const flight = new InFlight();
  assertEquals(flight.oldestSentAtUs, Infinity);
  for (let i = 0; i < 6; i++) flight.push(i * MS, i % 2 === 0 ? -1 : i, 100, 0);
  const oldest = [flight.oldestSentAtUs];
  for (const number of [3, 1, 0, 5]) {
    flight.acknowledge(number, number, nothing);
    oldest.push(flight.oldestSentAtUs);
  }
  assertEquals(oldest, [1 * MS, 1 * MS, 5 * MS, 5 * MS, Infinity]);
  flight.push(9 * MS, 7, 100, 0);
  assertEquals(flight.oldestSentAtUs, 9 * MS);
});

Deno.test("InFlight is full of packets until the oldest is settled", () => {
  const flight = flightOf(RING_ENTRIES - 1);
  assertFalse(flight.full);
  flight.push(0, 5, 100, 0);
  assert(flight.full);
  flight.acknowledge(1, 100, nothing);
  assert(flight.full);
  flight.acknowledge(0, 0, nothing);
  assertFalse(flight.full);
  for (let i = 0; i < 101; i++) flight.push(0, i, 100, 0);
  assert(flight.full);
  assertEquals([flight.packets, flight.next], [RING_ENTRIES, RING_ENTRIES + 101]);
});

Deno.test("InFlight lets control datagrams push out old ones, and wraps around forever", () => {
  const flight = new InFlight();
  for (let i = 0; i < 3 * RING_ENTRIES + 7; i++) flight.push(i, -1, 100, 0);
  assertEquals([flight.packets, flight.bytes, flight.oldestSentAtUs], [0, 0, Infinity]);
  assertEquals(flight.acknowledge(0, flight.next - 1, nothing), RING_ENTRIES);
  const number = flight.next;
  flight.push(5e6, 9, 100, 0);
  assertEquals([flight.oldestSentAtUs, flight.sentAtUs(number)], [5e6, 5e6]);
});

Deno.test("InFlight gives up a packet that control has pushed out of a full ring, once", () => {
  const flight = flightOf(RING_ENTRIES);
  for (let i = 0; i < 3; i++) flight.push(0, -1, 100, 0);
  assertEquals([flight.packets, flight.bytes], [RING_ENTRIES - 3, 100 * (RING_ENTRIES - 3)]);
  assertEquals([flight.full, flight.lostDatagrams, flight.oldestSentAtUs], [true, 3, 3 * MS]);
  assertEquals([lost(flight), lost(flight)], [[0, 1, 2], []]);
  flight.push(0, -1, 100, 0);
  const given: number[] = [];
  flight.abandon((slot) => given.push(slot));
  assertEquals([given.length, given[0], new Set(given).size], [
    RING_ENTRIES - 3,
    3,
    RING_ENTRIES - 3,
  ]);
});

Deno.test("InFlight does not take an acknowledgement of a number that has left the ring for another", () => {
  const flight = flightOf(RING_ENTRIES, () => -1);
  flight.push(RING_ENTRIES * MS, 1, 100, 0); // takes the place of number 0
  assertEquals(flight.acknowledge(0, 0, () => assert(false, "another's packet")), 0);
  assertEquals([flight.packets, flight.acknowledge(RING_ENTRIES, RING_ENTRIES, nothing)], [1, 1]);
});

Deno.test("InFlight.forEach shows the packets whose fate is unknown, oldest first, and keeps them", () => {
  const flight = flightOf(5, (i) => i === 2 ? -1 : i);
  flight.acknowledge(1, 1, nothing);
  const seen: number[] = [];
  flight.forEach((slot) => seen.push(slot));
  assertEquals([seen, flight.packets], [[0, 3, 4], 3]);
});

Deno.test("InFlight.reportableAtUs is of the oldest packet after what is reported, and some more", () => {
  const flight = flightOf(6, (i) => i === 3 ? -1 : i);
  flight.acknowledge(2, 2, nothing);
  assertEquals(flight.reportableAtUs(20 * MS, 1), 5 * MS);
  assertEquals(flight.reportableAtUs(20 * MS, 2), 24 * MS);
  flight.acknowledge(5, 5, nothing);
  assertEquals([flight.packets, flight.reportableAtUs(20 * MS, 1)], [3, Infinity]);
});

Deno.test("InFlight of a link that only has its heartbeats stays small for days", () => {
  const flight = new InFlight();
  for (let i = 0; i < 200_000; i++) flight.push(i * 250 * MS, -1, 60, 0);
  assert(flight.remembered <= 512, `${flight.remembered}`);
});

Deno.test("InFlight grows as a link gets busy, and forgets nothing of the last minute", () => {
  const flight = new InFlight();
  for (let i = 0; i < 9_000; i++) flight.push(i * MS, i % 3 === 0 ? -1 : i, 100, i % 7);
  assertEquals([flight.packets, flight.remembered], [6_000, RING_ENTRIES]);
  const acked: number[] = [];
  assertEquals(flight.acknowledge(0, 8_999, (slot) => acked.push(slot)), 9_000);
  assertEquals(acked, Array.from({ length: 9_000 }, (_, i) => i).filter((i) => i % 3 !== 0));
  assertEquals([flight.sentAtUs(1234), flight.idleCount(1234)], [1234 * MS, 1234 % 7]);
});

Deno.test("InFlight keeps a packet whose fate is unknown however long that takes", () => {
  const flight = new InFlight();
  flight.push(0, 77, 100, 0);
  for (let i = 1; i < 2_000; i++) flight.push(i * 1000 * MS, -1, 60, 0);
  const given: number[] = [];
  flight.abandon((slot) => given.push(slot));
  assertEquals(given, [77]);
});
