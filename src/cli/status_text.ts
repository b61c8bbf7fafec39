/**
 * The status of a tunnel as text for people.
 *
 * @module
 */

import type { SocketStatus, StatusDocument } from "../control/protocol.ts";
import { dateWords } from "../daemon/calendar.ts";
import type { LinkStatus, PeerStatus } from "../tunnel/options.ts";
import { bytes, duration, milliseconds, scaled } from "./figures.ts";
import { linkTable, sumsOf } from "./link_table.ts";
import { wrapWords } from "./words.ts";

/** How the text is shown. */
export interface TextStyle {
  readonly color: boolean;
  /** Width of the terminal. */
  readonly columns: number;
}

/** Sentences are not wider than eyes can follow. */
const WIDEST_SENTENCE = 100;

/** Returns the whole status, ending in a newline. */
export function statusText(status: StatusDocument, style: TextStyle): string {
  const { daemon, tunnel } = status;
  const lines = tunnelLines(status, style);
  for (const peer of tunnel.peers) lines.push("", ...peerLines(peer, status, style));
  if (tunnel.peers.length === 0) lines.push("", "no peer is known");
  const waits = tunnel.role === "server" ? socketLines(daemon.sockets, style) : [];
  if (waits.length > 0) lines.push("", ...waits);
  const drops = dropList(status);
  if (drops !== "") lines.push("", ...sentence("drops  ", drops, style.columns));
  return lines.join("\n") + "\n";
}

/** Whether a session is up: what the exit status of `aggvpn status` says. */
export function isSessionUp({ tunnel }: StatusDocument): boolean {
  return tunnel.peers.some(({ state }) => state === "up");
}

/** Which tunnel it is: its name, what it is, where, since when. */
export function tunnelLines(
  { daemon, tunnel }: StatusDocument,
  { columns }: Pick<TextStyle, "columns">,
): string[] {
  const { addresses = [], changes = [] } = daemon;
  const text = [
    `${tunnel.role} on ${daemon.interface}`,
    ...addresses,
    `MTU ${tunnel.mtu}`,
    `up ${duration(daemon.uptimeUs)}`,
    `pid ${daemon.pid}`,
    bytes(daemon.rssBytes),
  ].join(", ");
  return [
    ...sentence(`${daemon.name}: `, text, columns, 2),
    ...changes.flatMap((words) => sentence("  ", `changed by a command: ${words}`, columns)),
  ];
}

/** With whom there is a session, where, since when; or why there is none. */
export function sessionLines(peer: PeerStatus, aead: string, columns: number): string[] {
  return [
    ...sentence("", sessionText(peer, aead), columns, 2),
    ...peer.serverReason === undefined
      ? []
      : sentence("  ", `used because ${peer.serverReason}`, columns),
    ...peer.conflict === undefined
      ? []
      : sentence("  ", `another host uses its key: ${peer.conflict}`, columns),
  ];
}

function sessionText(peer: PeerStatus, aead: string): string {
  if (peer.cipher !== "") {
    const at = peer.remote === "" ? "" : ` at ${peer.remote}`;
    const state = peer.state === "up" ? "" : ", no link of which works";
    return `session with ${peer.name}${at} for ${duration(peer.connectedAgeUs)}${state}, ` +
      `${peer.cipher} (${aead})`;
  }
  if (peer.endedAgeUs === undefined) return `no session with ${peer.name} yet`;
  return `no session with ${peer.name} for ${duration(peer.endedAgeUs)}: ${peer.reason ?? ""}`;
}

function peerLines(peer: PeerStatus, status: StatusDocument, style: TextStyle): string[] {
  const { columns } = style;
  return [
    ...sessionLines(peer, status.tunnel.aead, columns),
    ...linkTable(peer.links, columns, style.color),
    ...linkNotes(peer, status, columns),
    ...totals(peer, columns),
  ];
}

/** What a table cannot say of the links of a peer. */
export function linkNotes(peer: PeerStatus, status: StatusDocument, columns: number): string[] {
  return peer.links.flatMap((link) => linkLines(link, status, columns));
}

/** Reasons, costs, from where to where. */
function linkLines(
  link: LinkStatus,
  { daemon, tunnel }: StatusDocument,
  columns: number,
): string[] {
  const socket = tunnel.role === "client"
    ? daemon.sockets.find(({ name }) => name === link.name)
    : undefined;
  const texts = [reasonOf(link), link.state === "up" ? link.mtuReason ?? "" : "", costs(link)];
  return [...texts, wayOf(link, socket)].filter((text) => text !== "")
    .flatMap((text) => sentence(`  ${link.name}: `, text, columns, 4));
}

function reasonOf({ state, reason, heardAgeUs }: LinkStatus): string {
  if (state === "up" || reason === "") return reason;
  const heard = heardAgeUs === undefined
    ? "nothing was ever heard on it"
    : `last heard ${duration(heardAgeUs)} ago`;
  return `${reason}; ${heard}`;
}

function wayOf({ remote, remoteMtu, mtu }: LinkStatus, socket: SocketStatus | undefined): string {
  const by = socket?.interface === undefined ? "" : `by ${socket.interface} `;
  const from = socket === undefined || socket.local === "" ? "" : `from ${socket.local} `;
  const to = remote === "" ? "" : `to ${remote}`;
  const way = (by + from + to).trim();
  const back = remoteMtu > 0 && remoteMtu !== mtu ? `MTU back ${remoteMtu}` : "";
  return [way, back].filter((text) => text !== "").join(", ");
}

/** What a server cannot listen on yet; for a client that is the reason of a link. */
function socketLines(sockets: readonly SocketStatus[], { columns }: TextStyle): string[] {
  return sockets.flatMap(({ name, reason }) =>
    reason === undefined ? [] : sentence("listen  ", `${name} waits: ${reason}`, columns)
  );
}

/** What to say about the cost of a link; empty when there is nothing. */
function costs({ metered, quotaBytes, quotaUsedBytes, quotaEnds }: LinkStatus): string {
  const words = metered ? ["metered"] : [];
  if (quotaBytes !== undefined) {
    const until = quotaEnds === undefined ? "this month" : `until ${dateWords(quotaEnds)}`;
    words.push(`${bytes(quotaUsedBytes ?? 0)} of ${bytes(quotaBytes)} used ${until}`);
  }
  return words.join(", ");
}

function totals(peer: PeerStatus, columns: number): string[] {
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = peer;
  const sums = sumsOf(peer.links);
  const text = [
    `sends ${scaled(sums.sendBps)}bit/s`,
    `receives ${scaled(sums.receiveBps)}bit/s`,
    `sent ${scaled(sentPackets)} packets, ${bytes(sentBytes)}`,
    `received ${scaled(receivedPackets)} packets, ${bytes(receivedBytes)}`,
    `queued ${scaled(peer.queuedPackets)}`,
    `resent ${scaled(peer.resentPackets)}`,
    `lost for good ${scaled(peer.lostPackets)}`,
    ...peer.duplicatedPackets > 0 ? [`duplicated ${scaled(peer.duplicatedPackets)}`] : [],
    `held for order ${scaled(peer.heldPackets)} ` +
    `(p50 ${milliseconds(peer.holdP50Us)} ms, p99 ${milliseconds(peer.holdP99Us)} ms)`,
  ].join(", ");
  return sentence("total  ", text, columns);
}

function dropList({ daemon, tunnel }: StatusDocument): string {
  const drops = Object.entries(tunnel.drops);
  drops.push(["tun", daemon.tunDrops], ["stale", daemon.staleDrops ?? 0]);
  drops.push(["tun-oversize", daemon.tunOversize], ["tun-malformed", daemon.tunMalformed]);
  for (const socket of daemon.sockets) {
    drops.push([`receive-buffer of ${socket.name}`, socket.receiveDrops]);
  }
  return drops.filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`).join(", ");
}

function sentence(head: string, text: string, columns: number, indent?: number): string[] {
  return wrapWords(head, text, Math.min(columns, WIDEST_SENTENCE), indent);
}
