import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  DURATION_UNITS,
  formatSize,
  parseQuantity,
  RATE_UNITS,
  SIZE_UNITS,
  suggestQuantity,
} from "../../src/config/units.ts";

for (
  const [text, bps] of [
    ["1 bit/s", 1],
    ["512 kbit/s", 512_000],
    ["50 Mbit/s", 50_000_000],
    ["50Mbit/s", 50_000_000],
    ["1.5 Mbit/s", 1_500_000],
    ["2.5 Gbit/s", 2_500_000_000],
    ["1 B/s", 8],
    ["1 kB/s", 8_000],
    ["6.25 MB/s", 50_000_000],
    ["1 KiB/s", 8_192],
    ["1 MiB/s", 8_388_608],
    ["fast", undefined],
    ["50", undefined],
    ["50 mbit/s", undefined],
    ["50 Mbps", undefined],
    ["-1 Mbit/s", undefined],
    ["1e3 bit/s", undefined],
    ["1,5 Mbit/s", undefined],
    [".5 Mbit/s", undefined],
    ["50  Mbit/s", undefined],
    ["50 toString", undefined],
    ["999999999999999 Gbit/s", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`parseQuantity reads the rate "${text}" as ${bps} bit/s`, () => {
    assertEquals(parseQuantity(text, RATE_UNITS), bps);
  });
}

Deno.test("parseQuantity reads sizes and times", () => {
  assertEquals(parseQuantity("20 GB", SIZE_UNITS), 20e9);
  assertEquals(parseQuantity("1 GiB", SIZE_UNITS), 2 ** 30);
  assertEquals(parseQuantity("300 ms", DURATION_UNITS), 300_000);
  assertEquals(parseQuantity("1.5s", DURATION_UNITS), 1_500_000);
  assertEquals(parseQuantity("2 min", DURATION_UNITS), 120_000_000);
  assertEquals(parseQuantity("1 h", DURATION_UNITS), 3_600_000_000);
});

for (
  const [text, meant] of [
    ["50 Mbps", "50 Mbit/s"],
    ["50mbit/s", "50 Mbit/s"],
    ["50   Mbit/s", "50 Mbit/s"],
    ["6 MBps", "6 MB/s"],
    ["fast", undefined],
    ["50 parsec", undefined],
  ] as const
) {
  Deno.test(`suggestQuantity for "${text}" is ${meant}`, () => {
    assertEquals(suggestQuantity(text, RATE_UNITS), meant);
  });
}

Deno.test("parseQuantity gives a safe whole number or undefined for any text", () => {
  const anything = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,20} ?[a-zA-Z/]{1,8}$/));
  fc.assert(fc.property(anything, (text) => {
    const value = parseQuantity(text, RATE_UNITS);
    assertEquals(value === undefined || (Number.isSafeInteger(value) && value >= 0), true);
    suggestQuantity(text, RATE_UNITS);
  }));
});

Deno.test("formatSize writes sizes as people do", () => {
  const cases: readonly (readonly [number, string])[] = [
    [1, "1 B"],
    [50e9, "50 GB"],
    [1e12, "1 TB"],
    [1.5e9, "1500 MB"],
    [20 * 1024 ** 3, "20 GiB"],
    [4096, "4 KiB"],
    [9999, "9999 B"],
    [12_345, "12.35 kB"],
    [1_234_567_891, "1.23 GB"],
    [999_999_999_999_999, "1000 TB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatSize(bytes), text);
});

Deno.test("formatSize writes what parseQuantity reads, as near as the digits allow", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e15 }), (bytes) => {
    const read = parseQuantity(formatSize(bytes), SIZE_UNITS)!;
    assert(Math.abs(read - bytes) <= bytes * 0.01, `${bytes}: ${formatSize(bytes)}`);
  }));
});
