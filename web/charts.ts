/**
 * The charts: what links carry, on each other; round-trip times; losses.
 *
 * @module
 */

import uPlot from "uplot";
import chartStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { colorOf, dashOf, onSchemeChange, styleColor } from "./colors.ts";
import { element } from "./dom.ts";
import { clock, milliseconds, percent, rate } from "./format.ts";
import { type LinkSeries, type Series, stacked, type Values } from "./series.ts";

const HEIGHT = 180;
const AXIS_WIDTH = 80;
/** Seconds between two marks of time. */
const TIME_STEPS: number[] = [5, 10, 15, 30, 60, 120, 180, 300];

/** What one chart shows. */
interface Kind {
  readonly title: string;
  readonly isStacked: boolean;
  readonly valuesOf: (link: LinkSeries) => Values;
  readonly format: (value: number | null) => string;
  /** The axis reaches at least this far, so that next to nothing does not look like much. */
  readonly least: number;
}

const KINDS: readonly Kind[] = [
  {
    title: "Receiving, all links together",
    isStacked: true,
    valuesOf: (link) => link.receive,
    format: rate,
    least: 1e5,
  },
  {
    title: "Sending, all links together",
    isStacked: true,
    valuesOf: (link) => link.send,
    format: rate,
    least: 1e5,
  },
  {
    title: "Round-trip time",
    isStacked: false,
    valuesOf: (link) => link.rtt,
    format: milliseconds,
    least: 1e4,
  },
  {
    title: "Loss, of the worse direction",
    isStacked: false,
    valuesOf: ({ sendLoss, receiveLoss }) =>
      sendLoss.map((value, i) => worse(value, receiveLoss[i]!)),
    format: percent,
    least: 0.01,
  },
];

function worse(a: number | null, b: number | null): number | null {
  return a === null || b === null ? a ?? b : Math.max(a, b);
}

/** All charts, in an element of the page. */
export class Charts {
  readonly #charts: readonly Chart[];
  readonly #series: Series;
  #spanS = 180;
  #linksShown = "";

  constructor(parent: HTMLElement, series: Series) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(chartStyle);
    document.adoptedStyleSheets = [sheet];
    this.#series = series;
    this.#charts = KINDS.map((kind) => new Chart(parent, kind));
    onSchemeChange(() => {
      this.#linksShown = "";
      this.draw();
    });
  }

  /** Shows so many seconds. */
  setSpan(seconds: number): void {
    this.#spanS = seconds;
    this.draw();
  }

  /** Draws what the series has. */
  draw(): void {
    const { links } = this.#series;
    const shown = JSON.stringify(links.map(({ id, name }) => [id, name]));
    const isOther = shown !== this.#linksShown;
    this.#linksShown = shown;
    for (const chart of this.#charts) {
      if (isOther) chart.begin(links);
      chart.draw(this.#series, this.#spanS);
    }
  }
}

class Chart {
  readonly #kind: Kind;
  readonly #place: HTMLElement;
  readonly #caption: HTMLElement;
  #plot: uPlot | undefined;
  /** What the links have, not summed up. */
  #own: Values[] = [];

  constructor(parent: HTMLElement, kind: Kind) {
    this.#kind = kind;
    this.#caption = element("figcaption", {}, kind.title);
    this.#place = element("div", { role: "img", "aria-label": `Chart: ${kind.title}` });
    parent.append(element("figure", {}, this.#caption, this.#place));
    new ResizeObserver(() => this.#fit()).observe(this.#place);
  }

  begin(links: readonly LinkSeries[]): void {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(links), [[]], this.#place);
  }

  draw({ times, links }: Series, spanS: number): void {
    const last = times.at(-1);
    if (last === undefined || !this.#plot) return;
    const { isStacked, valuesOf, format } = this.#kind;
    this.#own = links.map(valuesOf);
    const drawn = isStacked ? stacked(this.#own) : this.#own;
    this.#plot.batch(() => {
      this.#plot!.setData([times, ...drawn], false);
      this.#plot!.setScale("x", { min: last - spanS, max: last });
    });
    this.#plot.setLegend({ idx: this.#plot.cursor.idx ?? times.length - 1 }, false);
    const now = links.map(({ name }, i) => `${name} ${format(this.#own[i]!.at(-1) ?? null)}`);
    this.#place.setAttribute("aria-label", `Chart: ${this.#kind.title}. Now: ${now.join(", ")}`);
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (width > 0 && this.#plot?.width !== width) this.#plot?.setSize({ width, height: HEIGHT });
  }

  #options(links: readonly LinkSeries[]): uPlot.Options {
    const { format, isStacked, least } = this.#kind;
    const axis = {
      stroke: styleColor("--faint"),
      grid: { stroke: styleColor("--line"), width: 1 },
      ticks: { stroke: styleColor("--line"), width: 1 },
    };
    return {
      width: Math.max(this.#place.clientWidth, 200),
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      legend: { markers: { fill: (_, i) => i === 0 ? "transparent" : colorOf(links[i - 1]!.id) } },
      scales: { y: { range: (_, __, max) => [0, Math.max(least, max * 1.05)] } },
      axes: [
        {
          ...axis,
          space: 60,
          incrs: TIME_STEPS,
          values: (_, at) => at.map((time) => clock(1000 * time)),
        },
        { ...axis, size: AXIS_WIDTH, values: (_, at) => at.map((value) => format(value)) },
      ],
      series: [
        { label: "At", value: (_, time) => time === null ? "–" : clock(1000 * time) },
        ...links.map(({ id, name }, i): uPlot.Series => ({
          label: name,
          stroke: colorOf(id),
          width: isStacked ? 1 : 2,
          ...isStacked ? {} : { dash: dashOf(id) },
          ...isStacked && i === 0 && { fill: `${colorOf(id)}99` },
          points: { show: false },
          value: (_, __, ___, at) => format(at === null ? null : this.#own[i]?.[at] ?? null),
        })),
      ],
      bands: isStacked
        ? links.slice(1).map(({ id }, i) => ({ series: [i + 2, i + 1], fill: `${colorOf(id)}99` }))
        : [],
    };
  }
}
