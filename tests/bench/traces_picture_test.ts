import { assert, assertEquals } from "@std/assert";
import { type Course, drawCourse } from "../../bench/traces/picture.ts";

const COURSE: Course = {
  title: "two lines & a <tunnel>",
  detail: "cubic down",
  seconds: 1,
  capacity: [Array(10).fill(20e6), Array(10).fill(5e6)],
  used: [Array(10).fill(15e6), Array(10).fill(4e6)],
  pings: [{ at: 0.1, tripS: 0.05 }, { at: 0.2, tripS: NaN }, { at: 0.3, tripS: 0.08 }],
};

Deno.test("drawCourse shows each line's capacity and use, the pings and those lost", () => {
  const svg = drawCourse(COURSE);
  for (const text of ["used of line 2", "line 1, Mbit/s", "ping, ms", "no answer", "cubic down"]) {
    assert(svg.includes(`>${text}<`), text);
  }
  assertEquals(svg.match(/<polygon/g)?.length, 4, "an area of capacity and one of use per line");
  assertEquals(svg.match(/<polyline/g)?.length, 3);
  assertEquals(svg.match(/v8" stroke/g)?.length, 1, "one ping was lost");
  assert(!/NaN|undefined|Infinity/.test(svg));
});

Deno.test("drawCourse names what was lost only if something was", () => {
  const pings = COURSE.pings.filter(({ tripS }) => !Number.isNaN(tripS));
  assert(!drawCourse({ ...COURSE, pings }).includes("no answer"));
});
