import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { LossWindow } from "../../src/links/loss_window.ts";

const S = 1_000_000;
const SRTT_US = 100_000;
const PACKET_BYTES = 1400;

/** Lets it grow every 10 ms until `to`. */
function grow(window: LossWindow, from: number, to: number): void {
  for (let now = from + 10_000; now <= to; now += 10_000) window.grow(now, SRTT_US, true);
}

function packets(window: LossWindow): number {
  return window.bytes / PACKET_BYTES;
}

Deno.test("LossWindow begins with what it is told and grows by half in a round trip, until a loss", () => {
  const window = new LossWindow();
  window.begin(0, 100 * PACKET_BYTES);
  grow(window, 0, SRTT_US);
  assertAlmostEquals(packets(window), 163, 1);
  window.handleLoss(SRTT_US, SRTT_US);
  assertAlmostEquals(packets(window), 0.7 * 163, 1);
});

Deno.test("LossWindow shrinks once in a round trip, however much is lost", () => {
  const window = new LossWindow();
  window.begin(0, 100 * PACKET_BYTES);
  for (let now = S; now < S + SRTT_US; now += 10_000) window.handleLoss(now, SRTT_US);
  assertEquals(packets(window), 70);
  window.handleLoss(S + SRTT_US, SRTT_US);
  assertEquals(packets(window), 49);
});

Deno.test("LossWindow is what it was after the time of RFC 9438 section 4.2, and goes beyond", () => {
  const window = new LossWindow();
  window.begin(0, 200 * PACKET_BYTES);
  window.handleLoss(0, SRTT_US);
  const plateauS = Math.cbrt(200 * 0.3 / 0.4);
  grow(window, 0, plateauS * S / 2);
  assertLess(packets(window), 195);
  grow(window, plateauS * S / 2, plateauS * S);
  assertAlmostEquals(packets(window), 200, 1);
  grow(window, plateauS * S, plateauS * S + 4 * S);
  assertGreater(packets(window), 220);
});

Deno.test("LossWindow does not grow while it is not used, nor for the time of a pause", () => {
  const window = new LossWindow();
  window.begin(0, 100 * PACKET_BYTES);
  for (let now = 0; now < S; now += 10_000) window.grow(now, SRTT_US, false);
  assertEquals(packets(window), 100);
  window.resume(10 * S);
  window.grow(10 * S + 1, SRTT_US, true);
  assertAlmostEquals(packets(window), 100, 0.01);
});

Deno.test("LossWindow.multiply() is no loss: it goes on from there", () => {
  const window = new LossWindow();
  window.begin(0, 200 * PACKET_BYTES);
  window.handleLoss(0, SRTT_US);
  window.multiply(1.5);
  assertAlmostEquals(packets(window), 210, 0.01);
  grow(window, 0, S);
  assertLess(packets(window), 220);
});
