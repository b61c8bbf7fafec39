/**
 * The status of a tunnel as text for people, at most 80 columns wide.
 *
 * @module
 */

import type { SocketStatus, StatusDocument } from "../control/protocol.ts";
import type { LinkStatus, PeerStatus } from "../tunnel/options.ts";

/** Terminal width that everything fits. */
const COLUMNS = 80;
/** A link's name is truncated to no less than this to make the table fit. */
const MIN_NAME = 6;
/** Columns of the table that hold text and so are left-aligned. */
const TEXT_COLUMNS = 3;

const HEADINGS: readonly (readonly string[])[] = [
  ["LINK", "STATE", "TIER", "RTT", "±", "LOSS", "SEND", "RECV", "RATE", "SENT", "RCVD"],
  ["", "", "", "ms", "ms", "%", "bit/s", "bit/s", "bit/s", "B", "B"],
];

/** SGR codes of ECMA-48; a state's word says the same without them. */
const STATE_COLOR: Readonly<Record<string, string>> = {
  up: "32",
  suspect: "33",
  connecting: "33",
  down: "31",
};

/** Returns the whole status, ending in a newline. */
export function statusText(status: StatusDocument, color: boolean): string {
  const { daemon, tunnel } = status;
  const lines = [
    `${daemon.name}  ${daemon.interface}  ${tunnel.role}  mtu ${tunnel.mtu}  ` +
    `up ${duration(daemon.uptimeUs)}  pid ${daemon.pid}  ${scaled(daemon.rssBytes)}B`,
  ];
  for (const peer of tunnel.peers) lines.push("", ...peerLines(peer, tunnel.aead, color));
  if (tunnel.peers.length === 0) lines.push("", "no peer is connected");
  const waits = tunnel.role === "server" ? socketLines(daemon.sockets) : [];
  if (waits.length > 0) lines.push("", ...waits);
  const drops = dropLine(status);
  if (drops !== "") lines.push("", ...wrap("drops  ", drops));
  return lines.join("\n") + "\n";
}

function peerLines(peer: PeerStatus, aead: string, color: boolean): string[] {
  const session = peer.state === "up"
    ? `${peer.name}  up ${duration(peer.sessionAgeUs)}  ${peer.cipher} (${aead})`
    : `${peer.name}  ${peer.state}`;
  return [
    session,
    ...peer.serverReason === undefined ? [] : wrap("  ", `used because ${peer.serverReason}`),
    ...peer.conflict === undefined ? [] : wrap("  ", `another host uses its key: ${peer.conflict}`),
    ...linkTable(peer.links, color),
    ...peer.links.flatMap((link) =>
      [link.reason, link.state === "up" ? link.mtuReason ?? "" : "", costs(link)].filter((words) =>
        words !== ""
      )
        .flatMap((words) => wrap(`  ${link.name}: `, words))
    ),
    ...totals(peer),
  ];
}

/** What a server cannot listen on yet; for a client that is the reason of a link. */
function socketLines(sockets: readonly SocketStatus[]): string[] {
  return sockets.flatMap(({ name, reason }) =>
    reason === undefined ? [] : wrap("listen  ", `${name} waits: ${reason}`)
  );
}

/** What to say about the cost of a link; empty when there is nothing. */
function costs({ metered, quotaBytes, quotaUsedBytes }: LinkStatus): string {
  const words = metered ? ["metered"] : [];
  if (quotaBytes !== undefined) {
    words.push(`${scaled(quotaUsedBytes ?? 0)}B of ${scaled(quotaBytes)}B used this month`);
  }
  return words.join(", ");
}

function totals(peer: PeerStatus): string[] {
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = peer;
  return [
    ...wrap(
      "total  ",
      `sent ${scaled(sentPackets)} packets ${scaled(sentBytes)}B, ` +
        `received ${scaled(receivedPackets)} packets ${scaled(receivedBytes)}B`,
    ),
    ...wrap(
      "       ",
      `queued ${scaled(peer.queuedPackets)}, resent ${scaled(peer.resentPackets)}, ` +
        (peer.duplicatedPackets > 0 ? `duplicated ${scaled(peer.duplicatedPackets)}, ` : "") +
        `held for order ${scaled(peer.heldPackets)} ` +
        `(p50 ${milliseconds(peer.holdP50Us)} ms, p99 ${milliseconds(peer.holdP99Us)} ms)`,
    ),
  ];
}

/** Returns the headings and one line per link. */
function linkTable(links: readonly LinkStatus[], color: boolean): string[] {
  if (links.length === 0) return ["no links"];
  const rows = [...HEADINGS, ...links.map(linkCells)];
  const widths = HEADINGS[0]!.map((_, i) => Math.max(...rows.map((row) => width(row[i]!))));
  const sum = widths.reduce((total, w) => total + w);
  const gap = sum + 2 * (widths.length - 1) <= COLUMNS ? 2 : 1;
  const excess = sum + gap * (widths.length - 1) - COLUMNS;
  if (excess > 0) widths[0] = Math.max(MIN_NAME, widths[0]! - excess);
  return rows.map((row, i) => {
    const state = links[i - HEADINGS.length]?.state;
    const cells = row.map((cell, k) => pad(cell, widths[k]!, k < TEXT_COLUMNS));
    if (color && state) cells[1] = `\x1b[${STATE_COLOR[state] ?? "0"}m${cells[1]}\x1b[0m`;
    const line = cells.join(" ".repeat(gap)).trimEnd();
    return color && i === 0 ? `\x1b[1m${line}\x1b[0m` : line;
  });
}

function linkCells(link: LinkStatus): string[] {
  const known = link.srttUs > 0;
  return [
    link.name,
    link.state,
    link.tier,
    known ? milliseconds(link.srttUs) : "-",
    known ? milliseconds(link.rttvarUs) : "-",
    `${percent(link.sendLoss)}/${percent(link.receiveLoss)}`,
    scaled(link.sendBps),
    scaled(link.receiveBps),
    link.rateBps > 0 ? scaled(link.rateBps) : "-",
    scaled(link.sentBytes),
    scaled(link.receivedBytes),
  ];
}

function dropLine({ daemon, tunnel }: StatusDocument): string {
  const drops = Object.entries(tunnel.drops);
  drops.push(["tun", daemon.tunDrops], ["stale", daemon.staleDrops ?? 0]);
  drops.push(["tun-oversize", daemon.tunOversize], ["tun-malformed", daemon.tunMalformed]);
  for (const socket of daemon.sockets) {
    drops.push([`receive-buffer of ${socket.name}`, socket.receiveDrops]);
  }
  return drops.filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`).join(", ");
}

/** Breaks `text` between words; `head` goes before the first line, blanks before the others. */
function wrap(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(" ")) {
    const isEmpty = line.trim() === "" || line === head;
    if (!isEmpty && width(line) + 1 + width(word) > COLUMNS) {
      lines.push(line);
      line = " ".repeat(width(head)) + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, columns: number, left: boolean): string {
  const characters = [...text];
  if (characters.length > columns) return characters.slice(0, columns - 1).join("") + "…";
  const blanks = " ".repeat(columns - characters.length);
  return left ? text + blanks : blanks + text;
}

/** Three digits with a decimal prefix: `999`, `1.21k`, `48.1M`. */
export function scaled(value: number): string {
  if (!Number.isFinite(value)) return "-";
  let rest = value;
  for (const prefix of ["", "k", "M", "G", "T", "P"]) {
    const text = prefix === "" ? String(Math.round(rest)) : threeDigits(rest);
    if (Number(text) < 1000 || prefix === "P") return text + prefix;
    rest /= 1000;
  }
  return "-";
}

/** A time as milliseconds with three digits. */
export function milliseconds(us: number): string {
  return Number.isFinite(us) ? threeDigits(us / 1000) : "-";
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value.toFixed(value < 99.95 ? 1 : 0);
}

/** A fraction as percent: `0.0`, `1.5`, `100`. */
function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "-";
  const value = fraction * 100;
  return value.toFixed(value < 9.95 ? 1 : 0);
}

/** A time in its two largest units: `41 s`, `3 min 2 s`, `12 d 3 h`. */
export function duration(us: number): string {
  const seconds = Math.floor(us / 1e6);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`).join(" ");
}
