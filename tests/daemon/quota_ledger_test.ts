import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { QuotaLedger } from "../../src/daemon/quota_ledger.ts";

Deno.test("QuotaLedger counts by month and link", () => {
  const ledger = new QuotaLedger();
  ledger.add("2026-11", "lte", 10);
  ledger.add("2026-11", "lte", 5);
  ledger.add("2026-11", "dsl", 1);
  ledger.add("2026-12", "lte", 2);
  const used = ["2026-11 lte", "2026-11 dsl", "2026-12 lte", "2026-12 dsl", "2027-01 lte"]
    .map((text) => text.split(" ")).map(([month, link]) => ledger.used(month!, link!));
  assertEquals(used, [15, 1, 2, 0, 0]);
  assertEquals(ledger.latest, "2026-12");
});

Deno.test("QuotaLedger writes one line of JSON, and reads it", () => {
  const text = '{"version":1,"months":{"2026-11":{"lte":12345678,"dsl":0}}}\n';
  const ledger = QuotaLedger.parse(text)!;
  assertEquals(ledger.toText(), text);
  assertEquals([ledger.used("2026-11", "lte"), ledger.used("2026-11", "dsl")], [12345678, 0]);
  assertEquals(QuotaLedger.parse('{"version":1,"months":{}}')!.latest, undefined);
});

Deno.test("QuotaLedger keeps three months: the current one and the latest others", () => {
  const ledger = new QuotaLedger();
  for (const month of ["2026-09", "2026-10", "2026-11", "2026-12"]) ledger.add(month, "lte", 7);
  const months = (): string[] => Object.keys(JSON.parse(ledger.toText()).months).sort();
  assertEquals(months(), ["2026-10", "2026-11", "2026-12"]);
  ledger.add("1970-01", "lte", 1); // the clock has lost its battery
  assertEquals(months(), ["1970-01", "2026-11", "2026-12"]);
  ledger.add("2026-12", "lte", 1);
  assertEquals(ledger.used("2026-12", "lte"), 8);
});

Deno.test("QuotaLedger.parse() refuses what it did not write", () => {
  const bad = [
    "",
    "null",
    "[]",
    "{",
    '{"months":{}}',
    '{"version":2,"months":{}}',
    '{"version":1}',
    '{"version":1,"months":[]}',
    '{"version":1,"months":{"2026-13":{}}}',
    '{"version":1,"months":{"2026-11":[]}}',
    '{"version":1,"months":{"2026-11":{"lte":-1}}}',
    '{"version":1,"months":{"2026-11":{"lte":1.5}}}',
    '{"version":1,"months":{"2026-11":{"lte":"1"}}}',
    '{"version":1,"months":{"2026-11":{"lte":1e300}}}',
    '{"version":1,"months":{"2026-11":{"lte":null}}}',
  ];
  for (const text of bad) assertEquals(QuotaLedger.parse(text), undefined, text);
});

Deno.test("QuotaLedger.parse() of a file that was cut or changed never throws", () => {
  const ledger = new QuotaLedger();
  ledger.add("2026-11", "lte", 12_345_678_901);
  ledger.add("2026-12", "dsl", 0);
  const text = ledger.toText();
  for (let length = 0; length < text.length - 1; length++) {
    assertEquals(QuotaLedger.parse(text.slice(0, length)), undefined, `${length} characters`);
  }
  fc.assert(fc.property(fc.nat(text.length - 1), fc.nat(0xff), (at, code) => {
    const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
    const read = QuotaLedger.parse(changed);
    if (read) assert(read.used("2026-11", "lte") >= 0);
  }));
  fc.assert(fc.property(fc.json(), (json) => {
    QuotaLedger.parse(json);
  }));
});

Deno.test("QuotaLedger reads back whatever it counted", () => {
  const month = fc.tuple(fc.integer({ min: 1970, max: 2100 }), fc.integer({ min: 10, max: 12 }))
    .map(([year, month]) => `${year}-${month}`);
  const name = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), fc.constant("__proto__"));
  const entry = fc.tuple(month, name, fc.nat());
  fc.assert(fc.property(fc.array(entry), (entries) => {
    const ledger = new QuotaLedger();
    for (const [month, link, bytes] of entries) ledger.add(month, link, bytes);
    const back = QuotaLedger.parse(ledger.toText())!;
    assertEquals(back.toText(), ledger.toText());
    for (const [month, link] of entries) {
      assertEquals(back.used(month, link), ledger.used(month, link));
    }
  }));
});
