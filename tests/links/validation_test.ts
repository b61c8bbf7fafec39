import { assert, assertEquals, assertFalse } from "@std/assert";
import { Validation } from "../../src/links/validation.ts";

const SECOND = 1_000_000;

function found(lastProbe = 0): Validation {
  const validation = new Validation();
  validation.handleFound(lastProbe, false);
  return validation;
}

Deno.test("Validation allows anything for an address that the user has named", () => {
  const validation = new Validation();
  for (const now of [0, 1000 * SECOND]) {
    validation.handleSent(now, 1e9, true);
    assert(validation.allows(now, 1500));
    assertFalse(validation.pollAsk(now));
  }
});

Deno.test("Validation allows three times what came from an address, until a probe is answered", () => {
  const validation = found(7);
  assertFalse(validation.allows(0, 1));
  validation.handleReceived(100);
  assert(validation.allows(0, 300));
  assertFalse(validation.allows(0, 301));
  validation.handleSent(0, 200, false);
  assert(validation.allows(0, 100));
  assertFalse(validation.allows(0, 101));
  validation.handleProbeAck(7); // one that was sent to the address before
  assertFalse(validation.allows(0, 101));
  validation.handleProbeAck(8);
  assert(validation.allows(0, 1e9));
});

Deno.test("Validation asks at once, and then four times a second", () => {
  const validation = found();
  const asked = Array.from({ length: 20 }, (_, i) => validation.pollAsk(i * 50_000));
  assertEquals(asked.flatMap((is, i) => is ? [i * 50] : []), [0, 250, 500, 750]);
});

Deno.test("Validation asks again while packets are sent, and believes nobody for longer than 30 s", () => {
  const validation = found();
  validation.handleProbeAck(1);
  assertFalse(validation.pollAsk(1000 * SECOND), "an idle path needs no proof");
  validation.handleSent(1000 * SECOND, 1500, true);
  assertFalse(validation.pollAsk(1009 * SECOND));
  assert(validation.pollAsk(1010 * SECOND));
  validation.handleProbeAck(2);
  assertFalse(validation.pollAsk(1011 * SECOND));
  validation.handleSent(1012 * SECOND, 1500, true);
  assert(validation.allows(1041 * SECOND, 1500));
  assertFalse(validation.allows(1042 * SECOND, 1500));
  // What came while it was believed buys nothing, and what was sent costs nothing.
  validation.handleReceived(1000);
  assert(validation.allows(1043 * SECOND, 3000));
  validation.handleProbeAck(3);
  assert(validation.allows(1043 * SECOND, 1e9));
});

Deno.test("Validation of an address that was proven a moment ago is not repeated", () => {
  const validation = new Validation();
  validation.handleFound(9, true);
  assert(validation.allows(0, 1e9));
  assertFalse(validation.pollAsk(0));
});
