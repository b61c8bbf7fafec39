/**
 * One picture of the live view: the tunnel, its links with small graphs, and what has happened, in
 * just as many lines as the terminal has.
 *
 * @module
 */

import type { StatusDocument } from "../../control/protocol.ts";
import type { PeerStatus } from "../../tunnel/options.ts";
import { milliseconds, scaled } from "../figures.ts";
import { linkTable } from "../link_table.ts";
import { linkNotes, sessionLines, tunnelLines } from "../status_text.ts";
import type { TerminalSize } from "../terminal.ts";
import { pad, textWidth, wrapWords } from "../words.ts";
import { type History, type LinkHistory, SAMPLES } from "./history.ts";
import { type Ramp, sparkline } from "./sparkline.ts";

/** What is shown. */
export interface Scene {
  /** Absent before the tunnel has answered. */
  readonly status: StatusDocument | undefined;
  /** Why it does not answer, in words; absent when it does. */
  readonly trouble?: string;
  readonly history: History;
  /** The newest last. */
  readonly events: readonly string[];
}

/** How it is shown. */
export interface ViewStyle extends TerminalSize {
  readonly color: boolean;
  readonly ramp: Ramp;
  /** Whether arrows can be shown. */
  readonly unicode: boolean;
}

/** Lines that events have, if the terminal is high enough for everything else. */
const LEAST_EVENTS = 3;
/** A terminal of so many columns has three graphs beside each other, ... */
const THREE_GRAPHS = 76;
/** ... or two. */
const TWO_GRAPHS = 50;

/** Returns at most as many lines as there are rows, none of them wider than there are columns. */
export function viewLines(scene: Scene, style: ViewStyle): string[] {
  const footer = [footerOf(scene, style)];
  const { essential, graphs, notes } = sectionsOf(scene, style);
  const room = style.rows - footer.length;
  // What does not fit is left out: notes first, then graphs. Links and their states stay.
  const choices = [[...essential, ...graphs, ...notes], [...essential, ...graphs], essential];
  const lines = (choices.find((choice) => choice.length + LEAST_EVENTS <= room) ?? essential)
    .slice(0, room);
  const events = eventLines(scene.events, room - lines.length - 1, style.columns);
  const blanks = Math.max(0, room - lines.length - events.length);
  return [...lines, ...Array<string>(blanks).fill(""), ...events, ...footer];
}

interface Sections {
  readonly essential: readonly string[];
  readonly graphs: readonly string[];
  readonly notes: readonly string[];
}

function sectionsOf({ status, history, trouble }: Scene, style: ViewStyle): Sections {
  const { columns, color } = style;
  const alarm = trouble === undefined ? [] : wrapWords("", trouble, columns, 2);
  const colored = color ? alarm.map((line) => `\x1b[31m${line}\x1b[0m`) : alarm;
  if (!status) return { essential: colored, graphs: [], notes: [] };
  const { peers, aead } = status.tunnel;
  return {
    essential: [
      ...tunnelLines(status, style),
      ...colored,
      ...peers.flatMap((peer) => [
        ...sessionLines(peer, aead, columns),
        ...peer.links.length > 0 ? linkTable(peer.links, columns, color) : [],
      ]),
    ],
    graphs: graphLines(peers, history, style),
    notes: peers.flatMap((peer) => linkNotes(peer, status, columns)),
  };
}

/** A line or two for each link, all to the same scale, which the first line says. */
function graphLines(
  peers: readonly PeerStatus[],
  history: History,
  style: ViewStyle,
): string[] {
  const { columns } = style;
  const scale = history.scale;
  const links = peers.flatMap((peer) => peer.links.map((link) => ({ peer: peer.name, link })));
  if (links.length === 0) return [];
  const names = links.map(({ peer, link }) =>
    peers.length > 1 ? `${peer}/${link.name}` : link.name
  );
  const indent = Math.max(...names.map(textWidth));
  const legend = `last ${SAMPLES / 60} min, up to ${scaled(scale.bps)}bit/s and ` +
    `${milliseconds(scale.rttUs)} ms`;
  return [
    ...wrapWords("", legend, columns),
    ...links.flatMap(({ peer, link }, i) =>
      linkGraphs(names[i]!, indent, history.of(peer, link.name), scale, style)
    ),
  ];
}

function linkGraphs(
  name: string,
  indent: number,
  { sendBps, receiveBps, rttUs }: LinkHistory,
  scale: History["scale"],
  { columns, ramp, unicode }: ViewStyle,
): string[] {
  const [up, down] = unicode ? ["↑", "↓"] : ["s", "r"];
  const both = sendBps.map((value, i) => Math.max(value, receiveBps[i]!));
  const rtt = { label: "RTT", values: rttUs, max: scale.rttUs };
  const graphs = columns >= THREE_GRAPHS
    ? [
      { label: up, values: sendBps, max: scale.bps },
      { label: down, values: receiveBps, max: scale.bps },
      rtt,
    ]
    : [{ label: up! + down!, values: both, max: scale.bps }, rtt];
  const perLine = columns >= TWO_GRAPHS ? graphs.length : 1;
  const head = pad(name, indent, true);
  const lines: string[] = [];
  for (let at = 0; at < graphs.length; at += perLine) {
    const shown = graphs.slice(at, at + perLine);
    const labels = shown.reduce((sum, { label }) => sum + textWidth(label) + 2, 0);
    const width = Math.min(SAMPLES, Math.floor((columns - indent - labels) / perLine));
    if (width < 1) return []; // the name takes all of the line
    const text = shown.map(({ label, values, max }) =>
      ` ${label} ${sparkline(values, width, max, ramp)}`
    );
    lines.push((at === 0 ? head : " ".repeat(indent)) + text.join(""));
  }
  return lines;
}

/** The newest events that fit into `room` lines, oldest first. */
function eventLines(events: readonly string[], room: number, columns: number): string[] {
  const lines: string[] = [];
  for (const event of events.toReversed()) {
    const wrapped = wrapWords("", event, columns, 2);
    if (lines.length + wrapped.length > room) break;
    lines.unshift(...wrapped);
  }
  return lines;
}

function footerOf({ status }: Scene, { columns, color }: ViewStyle): string {
  const name = status?.daemon.name ?? "aggvpn";
  const full = `${name}: q quits`;
  const text = textWidth(full) <= columns ? full : "q quits";
  return color ? `\x1b[7m${pad(text, columns, true)}\x1b[0m` : text;
}
