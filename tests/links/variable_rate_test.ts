import { assertEquals } from "@std/assert";
import { VariableRate } from "../../src/links/variable_rate.ts";

const MS = 1_000;

Deno.test("VariableRate is the most that was delivered within 100 ms", () => {
  const rate = new VariableRate();
  rate.begin(0, 10e6);
  rate.handleSample(20 * MS, 30e6, false);
  assertEquals(rate.rateBps, 30e6, "a rise counts at once");
  for (let ms = 40; ms <= 120; ms += 20) rate.handleSample(ms * MS, 5e6, false);
  assertEquals(rate.rateBps, 30e6, "a gap does not");
  rate.handleSample(140 * MS, 5e6, false);
  assertEquals(rate.rateBps, 5e6, "a fall counts after the window");
});

Deno.test("VariableRate learns nothing from a sender with little to send, and forgets nothing", () => {
  const rate = new VariableRate();
  rate.begin(0, 10e6);
  for (let ms = 20; ms <= 1000; ms += 20) rate.handleSample(ms * MS, 1e6, true);
  assertEquals(rate.rateBps, 10e6);
  rate.handleSample(1020 * MS, 12e6, true);
  assertEquals(rate.rateBps, 12e6, "unless it is more");
  rate.handleSample(1040 * MS, 0, false);
  assertEquals(rate.rateBps, 12e6, "no sample");
});

Deno.test("VariableRate has room for more samples than ever come in the window", () => {
  const rate = new VariableRate();
  rate.begin(0, 500e6);
  for (let i = 1; i <= 200; i++) rate.handleSample(i * 100, (500 - i) * 1e6, false);
  assertEquals(rate.rateBps > 300e6, true);
  rate.handleSample(200 * MS, 1e6, false);
  assertEquals(rate.rateBps, 1e6);
});
