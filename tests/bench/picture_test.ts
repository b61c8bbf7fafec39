import { assert, assertEquals } from "@std/assert";
import { escapeXml, type Frame, place, tickStep } from "../../bench/links/chart.ts";
import { courseOf, drawCourses } from "../../bench/links/picture.ts";
import { SCENARIOS } from "../../bench/links/scenarios.ts";

const FRAME: Frame = { left: 10, top: 20, width: 100, height: 50, maxX: 10, maxY: 5 };

Deno.test("place turns units into pixels and keeps them inside", () => {
  assertEquals(place(FRAME, [0, 0]), "10,70");
  assertEquals(place(FRAME, [5, 2.5]), "60,45");
  assertEquals(place(FRAME, [10, 99]), "110,20");
});

Deno.test("tickStep is 1, 2 or 5 times a power of ten", () => {
  assertEquals([75, 108, 330, 1.5].map((max) => tickStep(max, 6)), [20, 20, 100, 0.5]);
});

Deno.test("escapeXml leaves nothing that could be markup", () => {
  assertEquals(escapeXml('40>10 & "x" <'), "40&#62;10 &#38; &#34;x&#34; &#60;");
});

Deno.test("drawCourses shows every line, mark and legend of the cases with a picture", () => {
  const courses = SCENARIOS.filter(({ picture }) => picture).map((scenario) =>
    courseOf(scenario, { flows: [], lines: [[50e6, 40e6], [10e6, 20e6]] }, { flows: [] })
  );
  assertEquals(courses.map((course) => course.case), ["varying", "blackhole"]);
  const svg = drawCourses(courses);
  for (
    const text of ["line 2: 25 Mbit/s", "line 2 goes silent", "line 2 is back", "TCP payload"]
  ) assert(svg.includes(`>${text}<`), text);
  assertEquals(svg.match(/<polygon/g)?.length, 4);
  assert(!/NaN|undefined|Infinity/.test(svg));
  assertEquals(
    svg.match(/<(svg|text|title)\b/g)?.length,
    svg.match(/<\/(svg|text|title)>/g)?.length,
  );
});

Deno.test("courseOf gives the rates of the lines over time", () => {
  const scenario = SCENARIOS.find(({ name }) => name === "blackhole");
  assert(scenario);
  const { rates } = courseOf(scenario, { flows: [] });
  assertEquals([149, 150, 249, 250].map((step) => rates[1]?.[step]), [50e6, 0, 0, 50e6]);
});

Deno.test("the picture of the README has the titles of the cases, as plain words", () => {
  const picture = new URL("../../docs/aggregation.svg", import.meta.url);
  const titles = Deno.readTextFileSync(picture).matchAll(/font-weight="bold">([^<]*)</g);
  const expected = SCENARIOS.flatMap((scenario) => scenario.picture ?? []);
  assertEquals(Array.from(titles, ([, title]) => title), expected.map(escapeXml));
  for (const title of expected) assert(!/\d\/\d|>/.test(title), title);
});
