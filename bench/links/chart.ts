/**
 * Pieces of an SVG chart over time: scales, axes, areas, lines, legends. Text only, no
 * library; every number is rounded to a tenth of a pixel.
 *
 * @module
 */

/** Where a chart is, and what its axes span. Pixels from the top left corner. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly maxX: number;
  readonly maxY: number;
}

/** Colours of lines, from the first on. */
export const LINE_COLORS: readonly string[] = ["#7fb2dd", "#f3bd72", "#a6cf98", "#d0a9d6"];

/** A point in the units of the axes. */
export type Point = readonly [x: number, y: number];

/** Escapes text for an element or an attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function pixel(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The point as pixels, `x,y`. */
export function place({ left, top, width, height, maxX, maxY }: Frame, [x, y]: Point): string {
  const bounded = Math.min(Math.max(y, 0), maxY);
  return `${pixel(left + x / maxX * width)},${pixel(top + height - bounded / maxY * height)}`;
}

/** A line through points; `style` is the rest of its attributes. */
export function polyline(frame: Frame, points: readonly Point[], style: string): string {
  const text = points.map((point) => place(frame, point)).join(" ");
  return `<polyline points="${text}" fill="none" stroke-linejoin="round" ${style}/>`;
}

/** The area between two rows of points with the same x. */
export function area(
  frame: Frame,
  lower: readonly Point[],
  upper: readonly Point[],
  style: string,
): string {
  const text = [...upper, ...lower.toReversed()].map((point) => place(frame, point)).join(" ");
  return `<polygon points="${text}" ${style}/>`;
}

/** A text; `style` is the rest of its attributes. */
export function label(x: number, y: number, text: string, style = ""): string {
  return `<text x="${pixel(x)}" y="${pixel(y)}" ${style}>${escapeXml(text)}</text>`;
}

/** A whole picture on white, of pieces with a title. */
export function svgDocument(
  title: string,
  width: number,
  height: number,
  pieces: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" ` +
    'font-size="12" fill="#222">',
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...pieces,
    "</svg>",
  ].join("\n") + "\n";
}

/** A row of samples with their meanings; `style` is what a sample is drawn with. */
export function legend(
  left: number,
  y: number,
  entries: readonly { readonly text: string; readonly style: string }[],
): string {
  let x = left;
  return entries.map(({ text, style }) => {
    const sample = `<path d="M${x} ${y - 4}h26" ${style}/>\n${label(x + 32, y, text)}`;
    x += 32 + text.length * 7.2 + 22;
    return sample;
  }).join("\n");
}

/** A distance of 1, 2 or 5 times a power of ten that gives at most `count` ticks. */
export function tickStep(max: number, count: number): number {
  const raw = max / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
}

/** Grid, ticks and titles of both axes. */
export function axes(frame: Frame, titleX: string, titleY: string): string {
  const { left, top, width, height, maxX, maxY } = frame;
  const parts: string[] = [];
  for (const y of ticks(maxY, 6)) {
    const [, at = "0"] = place(frame, [0, y]).split(",");
    parts.push(`<path d="M${left} ${at}h${width}" stroke="#d8d8d8"/>`);
    parts.push(label(left - 8, Number(at) + 4, String(y), 'text-anchor="end"'));
  }
  for (const x of ticks(maxX, 12)) {
    const [at = "0"] = place(frame, [x, 0]).split(",");
    parts.push(`<path d="M${at} ${top + height}v5" stroke="#444"/>`);
    parts.push(label(Number(at), top + height + 19, String(x), 'text-anchor="middle"'));
  }
  parts.push(`<path d="M${left} ${top}v${height}h${width}" fill="none" stroke="#444"/>`);
  parts.push(label(left + width / 2, top + height + 38, titleX, 'text-anchor="middle"'));
  const turn = `transform="rotate(-90 ${left - 44} ${top + height / 2})" text-anchor="middle"`;
  parts.push(label(left - 44, top + height / 2, titleY, turn));
  return parts.join("\n");
}

function ticks(max: number, count: number): number[] {
  const step = tickStep(max, count);
  return Array.from(
    { length: Math.floor(max / step + 0.001) + 1 },
    (_, i) => Math.round(i * step * 1000) / 1000,
  );
}
