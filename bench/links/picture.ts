/**
 * The picture of `make bench-links`: what each line carried and what TCP got out of it, over time,
 * for the cases in which something happens to a line.
 *
 * @module
 */

import {
  area,
  axes,
  type Frame,
  label,
  legend,
  LINE_COLORS,
  type Point,
  polyline,
  svgDocument,
} from "./chart.ts";
import { cuts, lineCount, rateSteps } from "./capacity.ts";
import type { Measured, Scenario, Way } from "./scenario.ts";
import { megabits, smooth, SMOOTH_STEPS, STEP_SECONDS, totalSteps } from "./series.ts";

/** One case over time. Rates in bits per second per 100 ms. */
export interface Course {
  readonly case: string;
  readonly title: string;
  readonly seconds: number;
  /** TCP payload of all flows. */
  readonly goodput: readonly number[];
  readonly simulated: readonly number[];
  /** IP packets that each line delivered. */
  readonly lines: readonly (readonly number[])[];
  /** The raw rate of each line, 0 while it is cut. */
  readonly rates: readonly (readonly number[])[];
  readonly marks: readonly { readonly at: number; readonly text: string }[];
}

const WIDTH = 1000;
const PANEL_HEIGHT = 400;
const GOODPUT_COLOR = "#15324d";
const SIMULATED_COLOR = "#b3261e";
const SUM_COLOR = "#777";

/** The course of a case from one run in the lab and one of the simulator. */
export function courseOf(scenario: Scenario, run: Measured, simulated?: Measured): Course {
  const traffic = scenario.action.kind === "traffic" ? scenario.action.traffic : undefined;
  const { seconds = 0, way = "down" } = traffic ?? {};
  const count = lineCount(scenario);
  return {
    case: scenario.name,
    title: scenario.picture ?? scenario.title,
    seconds,
    goodput: totalSteps(run),
    simulated: simulated ? totalSteps(simulated) : [],
    lines: run.lines ?? [],
    rates: Array.from({ length: count }, (_, line) => rateOverTime(scenario, line, way, seconds)),
    marks: Array.from({ length: count }, (_, line) => marksOf(scenario, line, way)).flat(),
  };
}

function rateOverTime(scenario: Scenario, line: number, way: Way, seconds: number): number[] {
  const steps = rateSteps(scenario, line, way);
  const gone = cuts(scenario, line, way);
  return Array.from({ length: Math.round(seconds / STEP_SECONDS) }, (_, i) => {
    const at = (i + 0.5) * STEP_SECONDS;
    if (gone.some(({ from, to }) => at >= from && at < to)) return 0;
    return steps.findLast((step) => step.at <= at)?.bps ?? 0;
  });
}

function marksOf(scenario: Scenario, line: number, way: Way): Course["marks"] {
  const name = `line ${line + 1}`;
  return [
    ...rateSteps(scenario, line, way).slice(1).map(({ at, bps }) => ({
      at,
      text: `${name}: ${bps / 1e6} Mbit/s`,
    })),
    ...cuts(scenario, line, way).flatMap(({ from, to }) => [
      { at: from, text: `${name} goes silent` },
      ...Number.isFinite(to) ? [{ at: to, text: `${name} is back` }] : [],
    ]),
  ];
}

/** Draws courses below each other as one SVG document. */
export function drawCourses(courses: readonly Course[]): string {
  const height = 44 + courses.length * PANEL_HEIGHT + 30;
  const note = `Means over ${SMOOTH_STEPS * STEP_SECONDS} s. Coloured areas are stacked: IP ` +
    "packets that each line delivered, with the tunnel's headers. TCP payload is about 92 % of it.";
  return svgDocument("aggvpn over lines that vary and fail", WIDTH, height, [
    label(24, 30, "One TCP transfer through aggvpn, no bandwidth configured", 'font-size="18"'),
    ...courses.map((course, i) => drawCourse(course, 44 + i * PANEL_HEIGHT)),
    label(24, height - 14, note, 'fill="#666" font-size="11"'),
  ]);
}

function drawCourse(course: Course, top: number): string {
  const sum = total(course.rates);
  const most = Math.max(1e6, ...sum, ...smooth(total(course.lines)));
  const frame: Frame = {
    left: 70,
    top: top + 72,
    width: WIDTH - 94,
    height: PANEL_HEIGHT - 136,
    maxX: course.seconds,
    maxY: most * 1.08 / 1e6,
  };
  const stacked = stack(course.lines.map(smooth));
  const areas = course.lines.map((_, i) =>
    area(frame, megabits(stacked[i] ?? []), megabits(stacked[i + 1] ?? []), areaStyle(i))
  );
  return [
    label(24, top + 20, course.title, 'font-size="14" font-weight="bold"'),
    legendOf(course, top + 42),
    ...areas,
    axes(frame, "seconds since the transfer began", "Mbit/s"),
    polyline(frame, edges(sum), `stroke="${SUM_COLOR}" stroke-width="1.5" stroke-dasharray="6 4"`),
    polyline(
      frame,
      megabits(smooth(course.simulated)),
      `stroke="${SIMULATED_COLOR}" stroke-width="1" stroke-dasharray="2 2"`,
    ),
    polyline(
      frame,
      megabits(smooth(course.goodput)),
      `stroke="${GOODPUT_COLOR}" stroke-width="2.5"`,
    ),
    ...course.marks.map((mark) => drawMark(frame, mark)),
  ].join("\n");
}

function areaStyle(line: number): string {
  return `fill="${LINE_COLORS[line % LINE_COLORS.length]}"`;
}

function drawMark(frame: Frame, { at, text }: Course["marks"][number]): string {
  const x = frame.left + at / frame.maxX * frame.width;
  return `<path d="M${x.toFixed(1)} ${frame.top - 4}v${frame.height + 4}" stroke="#999" ` +
    `stroke-dasharray="1 3"/>\n` +
    label(x, frame.top - 8, text, 'text-anchor="middle" fill="#444"');
}

function legendOf(course: Course, y: number): string {
  return legend(70, y, [
    { text: "TCP payload", style: `stroke="${GOODPUT_COLOR}" stroke-width="2.5"` },
    ...course.simulated.length === 0 ? [] : [{
      text: "the same, simulated",
      style: `stroke="${SIMULATED_COLOR}" stroke-width="1" stroke-dasharray="2 2"`,
    }],
    {
      text: "sum of the lines' rates",
      style: `stroke="${SUM_COLOR}" stroke-width="1.5" stroke-dasharray="6 4"`,
    },
    ...course.lines.map((_, i) => ({
      text: `over line ${i + 1}`,
      style: `stroke="${LINE_COLORS[i % LINE_COLORS.length]}" stroke-width="10"`,
    })),
  ]);
}

function total(rows: readonly (readonly number[])[]): number[] {
  return stack(rows).at(-1) ?? [];
}

/** Sums of none, the first, the first two and so on of the rows. */
function stack(rows: readonly (readonly number[])[]): number[][] {
  const sums = [rows[0]?.map(() => 0) ?? []];
  for (const row of rows) sums.push(row.map((value, i) => value + (sums.at(-1)?.[i] ?? 0)));
  return sums;
}

/** Steps with sharp edges. */
function edges(steps: readonly number[]): Point[] {
  return steps.flatMap((bps, i): Point[] => [
    [i * STEP_SECONDS, bps / 1e6],
    [(i + 1) * STEP_SECONDS, bps / 1e6],
  ]);
}
