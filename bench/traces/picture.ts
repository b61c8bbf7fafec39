/**
 * The picture of one transfer over lines that vary: what each line could carry and what the tunnel
 * used of it, and below them the ping beside it.
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
  place,
  type Point,
  polyline,
  svgDocument,
} from "../links/chart.ts";
import { megabits, smooth, SMOOTH_STEPS, STEP_SECONDS } from "../links/series.ts";

/** One transfer over time; 0 is when the recordings of the lines begin. */
export interface Course {
  readonly title: string;
  /** What came out, in a line. */
  readonly detail: string;
  readonly seconds: number;
  /** Bits per second of each line, per 100 ms: what it could carry, and what it delivered. */
  readonly capacity: readonly (readonly number[])[];
  readonly used: readonly (readonly number[])[];
  /** When each ping was sent, and its round trip; NaN when no answer came. Seconds. */
  readonly pings: readonly { readonly at: number; readonly tripS: number }[];
}

const WIDTH = 1000;
const LEFT = 70;
const TOP = 98;
const PANEL_HEIGHT = 150;
const GAP = 46;
/** Below the last panel: its title, and the note. */
const FOOT = 76;
const CAPACITY_FILL = "#e4e4e4";
const CAPACITY_COLOR = "#777";
const PING_COLOR = "#15324d";
const LOST_COLOR = "#b3261e";

/** Draws a course as an SVG document. */
export function drawCourse(course: Course): string {
  const lines = course.capacity.map((_, i) => drawLine(course, i));
  const top = TOP + lines.length * (PANEL_HEIGHT + GAP);
  const height = top + PANEL_HEIGHT + FOOT;
  const note = `Means over ${SMOOTH_STEPS * STEP_SECONDS} s of IP packets on the lines, with the ` +
    "tunnel's headers. The ping goes through the tunnel beside the transfer.";
  return svgDocument(`aggvpn: ${course.title}`, WIDTH, height, [
    label(24, 30, course.title, 'font-size="18"'),
    label(24, 52, course.detail, 'font-size="13"'),
    legendOf(course),
    ...lines,
    drawPings(course, top),
    label(24, height - 12, note, 'fill="#666" font-size="11"'),
  ]);
}

function legendOf({ used, pings }: Course): string {
  return legend(LEFT, 78, [
    { text: "what a line can carry", style: `stroke="${CAPACITY_COLOR}" stroke-width="1.5"` },
    ...used.map((_, i) => ({
      text: `used of line ${i + 1}`,
      style: `stroke="${LINE_COLORS[i % LINE_COLORS.length]}" stroke-width="10"`,
    })),
    { text: "ping", style: `stroke="${PING_COLOR}" stroke-width="1.5"` },
    ...pings.some(({ tripS }) => Number.isNaN(tripS))
      ? [{ text: "no answer", style: `stroke="${LOST_COLOR}" stroke-width="3"` }]
      : [],
  ]);
}

function frameAt(top: number, seconds: number, most: number): Frame {
  return {
    left: LEFT,
    top,
    width: WIDTH - LEFT - 24,
    height: PANEL_HEIGHT,
    maxX: seconds,
    maxY: most * 1.08,
  };
}

function drawLine({ capacity, used, seconds }: Course, i: number): string {
  const could = megabits(smooth(capacity[i] ?? []));
  const did = megabits(smooth(used[i] ?? []));
  const most = Math.max(1, ...[...could, ...did].map(([, mbps]) => mbps));
  const frame = frameAt(TOP + i * (PANEL_HEIGHT + GAP), seconds, most);
  return [
    area(frame, could.map(([x]): Point => [x, 0]), could, `fill="${CAPACITY_FILL}"`),
    area(
      frame,
      did.map(([x]): Point => [x, 0]),
      did,
      `fill="${LINE_COLORS[i % LINE_COLORS.length]}"`,
    ),
    axes(frame, "", `line ${i + 1}, Mbit/s`),
    polyline(frame, could, `stroke="${CAPACITY_COLOR}" stroke-width="1.5"`),
  ].join("\n");
}

function drawPings({ pings: all, seconds }: Course, top: number): string {
  const pings = all.filter(({ at }) => at >= 0 && at <= seconds);
  const answered = pings.filter(({ tripS }) => !Number.isNaN(tripS));
  const frame = frameAt(top, seconds, Math.max(1, ...answered.map(({ tripS }) => tripS * 1000)));
  const lost = pings.filter(({ tripS }) => Number.isNaN(tripS)).map(({ at }) => {
    const [x] = place(frame, [at, 0]).split(",");
    return `<path d="M${x} ${frame.top}v8" stroke="${LOST_COLOR}" stroke-width="1"/>`;
  });
  const line = answered.map(({ at, tripS }): Point => [at, tripS * 1000]);
  return [
    axes(frame, "seconds since the recordings began", "ping, ms"),
    polyline(frame, line, `stroke="${PING_COLOR}" stroke-width="1.2"`),
    ...lost,
  ].join("\n");
}
