import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { dateWords, endOf, isMonth, monthOf } from "../../src/daemon/calendar.ts";

/** Runs `body` as if the host were in `zone`. */
function inZone(zone: string, body: () => void): void {
  const before = Deno.env.get("TZ");
  Deno.env.set("TZ", zone);
  try {
    body();
  } finally {
    if (before === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", before);
  }
}

function monthAt(instant: string): string {
  return monthOf(Date.parse(instant));
}

Deno.test("monthOf() changes at midnight of the host, in winter and in summer", () => {
  inZone("Europe/Vienna", () => {
    assertEquals(monthAt("2026-11-30T22:59:59.999Z"), "2026-11");
    assertEquals(monthAt("2026-11-30T23:00:00Z"), "2026-12");
    assertEquals(monthAt("2026-12-31T22:59:59Z"), "2026-12");
    assertEquals(monthAt("2026-12-31T23:00:00Z"), "2027-01");
    assertEquals(monthAt("2026-06-30T21:59:59Z"), "2026-06");
    assertEquals(monthAt("2026-06-30T22:00:00Z"), "2026-07");
  });
});

Deno.test("monthOf() is not misled by the hour that comes twice, or never", () => {
  inZone("America/Sao_Paulo", () => {
    assertEquals(monthAt("2018-11-01T02:59:59Z"), "2018-10");
    assertEquals(monthAt("2018-11-01T03:00:00Z"), "2018-11");
  });
  inZone("America/Santo_Domingo", () => {
    // On 29 October 2000 clocks went from 2:00 back to 1:00; months are whole again in November.
    assertEquals(monthAt("2000-10-29T05:30:00Z"), "2000-10");
    assertEquals(monthAt("2000-10-29T06:30:00Z"), "2000-10");
    assertEquals(monthAt("2000-11-01T05:00:00Z"), "2000-11");
  });
  inZone("Africa/Cairo", () => {
    // Summer time ends on 31 October 2024 at midnight: the last hour of the day comes twice.
    assertEquals(monthAt("2024-10-31T20:30:00Z"), "2024-10");
    assertEquals(monthAt("2024-10-31T21:30:00Z"), "2024-10");
    assertEquals(monthAt("2024-10-31T22:00:00Z"), "2024-11");
  });
});

Deno.test("monthOf() gives months that compare as they follow each other", () => {
  const months = ["1970-01-15", "2026-02-15", "2026-10-15", "2026-11-15", "2027-01-15"].map((day) =>
    monthAt(`${day}T12:00:00Z`)
  );
  assertEquals(months.toSorted(), months);
  assert(months.every(isMonth));
});

Deno.test("monthOf() begins months on the day of the bill, or on the last of a shorter one", () => {
  inZone("UTC", () => {
    const at = (date: string, day: number): string => monthOf(Date.parse(`${date}T12:00:00Z`), day);
    assertEquals(at("2026-11-14", 15), "2026-10");
    assertEquals(at("2026-11-15", 15), "2026-11");
    assertEquals(at("2026-01-14", 15), "2025-12");
    assertEquals(at("2026-02-27", 31), "2026-01");
    assertEquals(at("2026-02-28", 31), "2026-02");
    assertEquals(at("2024-02-28", 30), "2024-01");
    assertEquals(at("2024-02-29", 30), "2024-02");
    assertEquals(at("2026-03-30", 31), "2026-02");
    assertEquals(at("2026-03-31", 31), "2026-03");
  });
});

Deno.test("endOf() is where the next month begins", () => {
  const ends = ([month, day]: readonly [string, number]): string => endOf(month, day);
  assertEquals(
    ([["2026-11", 1], ["2026-12", 1], ["2026-11", 15], ["2026-01", 31], ["2024-01", 30]] as const)
      .map(ends),
    ["2026-12-01", "2027-01-01", "2026-12-15", "2026-02-28", "2024-02-29"],
  );
});

Deno.test("each month begins where the one before ends, whatever the day", () => {
  inZone("Europe/Vienna", () => {
    const noon = (date: string, days: number): number => {
      const [year, month, day] = date.split("-").map(Number);
      return new Date(year!, month! - 1, day! + days, 12).getTime();
    };
    fc.assert(fc.property(
      fc.integer({ min: 1970, max: 2100 }),
      fc.integer({ min: 10, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
      (year, number, day) => {
        const month = `${year}-${number}`;
        const end = endOf(month, day);
        assertEquals(monthOf(noon(end, -1), day), month);
        assertEquals(monthOf(noon(end, 0), day), end.slice(0, 7));
      },
    ));
  });
});

Deno.test("dateWords() says a date as people do", () => {
  assertEquals(["2026-12-01", "2027-01-15"].map(dateWords), ["1 December", "15 January"]);
});

Deno.test("isMonth() takes nothing else for a month", () => {
  for (const text of ["", "2026", "2026-00", "2026-13", "2026-1", "02026-01", "2026-01-01", "x"]) {
    assertEquals(isMonth(text), false, text);
  }
});
