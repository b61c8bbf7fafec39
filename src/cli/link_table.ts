/**
 * The links of a tunnel as a table that fits the terminal: it leaves out the columns that matter
 * least, and where not even the most important ones have room, each link becomes a few lines.
 *
 * @module
 */

import type { LinkStatus } from "../tunnel/options.ts";
import { milliseconds, percent, scaled, shortDuration } from "./figures.ts";
import { pad, textWidth, wrapWords } from "./words.ts";

/** SGR codes of ECMA-48; a state's word says the same without them. */
const STATE_COLOR: Readonly<Record<string, string>> = {
  up: "32",
  suspect: "33",
  connecting: "33",
  down: "31",
};

/** What all links together send and receive, of which each has a share. */
export interface Sums {
  readonly sendBps: number;
  readonly receiveBps: number;
}

interface Column {
  readonly head: string;
  readonly unit: string;
  /** Columns of lower importance are left out first; 0 is never left out. */
  readonly importance: number;
  readonly isText?: boolean;
  readonly cell: (link: LinkStatus, sums: Sums) => string;
}

const COLUMNS: readonly Column[] = [
  { head: "LINK", unit: "", importance: 0, isText: true, cell: ({ name }) => name },
  { head: "STATE", unit: "", importance: 0, isText: true, cell: ({ state }) => state },
  {
    head: "FOR",
    unit: "",
    importance: 0,
    isText: true,
    cell: ({ stateAgeUs }) => shortDuration(stateAgeUs),
  },
  { head: "TIER", unit: "", importance: 2, isText: true, cell: ({ tier }) => tier },
  { head: "RTT", unit: "ms", importance: 0, cell: (link) => ifKnown(link, link.srttUs) },
  { head: "±", unit: "ms", importance: 5, cell: (link) => ifKnown(link, link.jitterUs) },
  { head: "SKEW", unit: "ms", importance: 8, cell: (link) => ifKnown(link, link.skewUs) },
  {
    head: "LOSS",
    unit: "%",
    importance: 0,
    cell: ({ sendLoss, receiveLoss }) => `${percent(sendLoss)}/${percent(receiveLoss)}`,
  },
  { head: "LEFT", unit: "%", importance: 6, cell: ({ residualLoss }) => percent(residualLoss) },
  { head: "SEND", unit: "bit/s", importance: 0, cell: ({ sendBps }) => scaled(sendBps) },
  { head: "RECV", unit: "bit/s", importance: 0, cell: ({ receiveBps }) => scaled(receiveBps) },
  { head: "SHARE", unit: "%", importance: 4, cell: shareOf },
  {
    head: "RATE",
    unit: "bit/s",
    importance: 3,
    cell: ({ rateBps }) => rateBps > 0 ? scaled(rateBps) : "-",
  },
  { head: "MTU", unit: "B", importance: 7, cell: ({ mtu }) => String(mtu) },
  { head: "SENT", unit: "B", importance: 9, cell: ({ sentBytes }) => scaled(sentBytes) },
  { head: "RCVD", unit: "B", importance: 10, cell: ({ receivedBytes }) => scaled(receivedBytes) },
];

/** Returns the headings and a line for each link, or a few lines for each, none over `columns`. */
export function linkTable(
  links: readonly LinkStatus[],
  columns: number,
  color: boolean,
): string[] {
  if (links.length === 0) return ["no links"];
  const sums = sumsOf(links);
  for (const gap of [2, 1]) {
    const shown = chosen(links, sums, columns, gap);
    if (shown) return tableLines(shown, links, sums, gap, color);
  }
  return links.flatMap((link) => stackedLines(link, sums, columns, color));
}

/** What links carry together. */
export function sumsOf(links: readonly LinkStatus[]): Sums {
  return {
    sendBps: links.reduce((sum, link) => sum + link.sendBps, 0),
    receiveBps: links.reduce((sum, link) => sum + link.receiveBps, 0),
  };
}

/** The columns that have room; undefined when the most important ones do not. */
function chosen(
  links: readonly LinkStatus[],
  sums: Sums,
  columns: number,
  gap: number,
): readonly Column[] | undefined {
  const widthOf = (column: Column): number => gap + widthOfColumn(column, links, sums);
  let room = columns + gap;
  const shown = new Set<Column>();
  for (const column of COLUMNS.toSorted((a, b) => a.importance - b.importance)) {
    const width = widthOf(column);
    if (width <= room) {
      shown.add(column);
      room -= width;
    } else if (column.importance === 0) return undefined;
    else break; // what matters less is not shown instead
  }
  return COLUMNS.filter((column) => shown.has(column));
}

function widthOfColumn(column: Column, links: readonly LinkStatus[], sums: Sums): number {
  const cells = links.map((link) => column.cell(link, sums));
  return Math.max(...[column.head, column.unit, ...cells].map(textWidth));
}

function tableLines(
  columns: readonly Column[],
  links: readonly LinkStatus[],
  sums: Sums,
  gap: number,
  color: boolean,
): string[] {
  const widths = columns.map((column) => widthOfColumn(column, links, sums));
  const line = (cells: readonly string[], state = ""): string => {
    const padded = cells.map((cell, k) => {
      const text = pad(cell, widths[k]!, columns[k]!.isText ?? false);
      return columns[k]!.head === "STATE" && color ? colored(text, state) : text;
    });
    return padded.join(" ".repeat(gap)).trimEnd();
  };
  const head = line(columns.map((column) => column.head));
  return [
    color ? `\x1b[1m${head}\x1b[0m` : head,
    line(columns.map((column) => column.unit)),
    ...links.map((link) => line(columns.map((column) => column.cell(link, sums)), link.state)),
  ];
}

function stackedLines(link: LinkStatus, sums: Sums, columns: number, color: boolean): string[] {
  const { name, state, stateAgeUs, tier, srttUs, sendLoss, receiveLoss, residualLoss } = link;
  const share = shareOf(link, sums);
  const phrases = [
    `for ${shortDuration(stateAgeUs)}`,
    tier,
    ...srttUs > 0
      ? [`RTT ${milliseconds(srttUs)} ± ${milliseconds(link.jitterUs)} ms`]
      : ["RTT unknown"],
    `loss ${percent(sendLoss)}/${percent(receiveLoss)} %, ${percent(residualLoss)} % left`,
    `sends ${scaled(link.sendBps)}bit/s`,
    `receives ${scaled(link.receiveBps)}bit/s`,
    ...share === "-" ? [] : [`${share} % of all`],
    ...link.rateBps > 0 ? [`can send ${scaled(link.rateBps)}bit/s`] : [],
    `MTU ${link.mtu}`,
  ];
  const [first = "", ...others] = wrapWords(`${name}  ${state} `, phrases.join(", "), columns, 2);
  if (!color) return [first, ...others];
  return [first.replace(`${name}  ${state}`, () => `${name}  ${colored(state, state)}`), ...others];
}

function colored(text: string, state: string): string {
  return state === "" ? text : `\x1b[${STATE_COLOR[state] ?? "0"}m${text}\x1b[0m`;
}

/** Of what all links send and receive together. */
function shareOf({ state, sendBps, receiveBps }: LinkStatus, sums: Sums): string {
  if (state !== "up") return "-";
  const all = sums.sendBps + sums.receiveBps;
  return all > 0 ? String(Math.round(100 * (sendBps + receiveBps) / all)) : "-";
}

function ifKnown({ srttUs }: LinkStatus, us: number): string {
  return srttUs > 0 ? milliseconds(us) : "-";
}
