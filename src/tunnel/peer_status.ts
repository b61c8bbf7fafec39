/**
 * What a peer and its links are doing, for people and programs.
 *
 * @module
 */

import { WAITING } from "../links/liveness.ts";
import type { Path } from "../links/path.ts";
import { timeDifference } from "../wire/time.ts";
import type { LinkStatus, PeerStatus } from "./options.ts";
import type { Peer } from "./peer.ts";

/** A path that is not up after this time has a peer that should have answered, in microseconds. */
const ANSWERED_US = 3_000_000;

/** What only a role knows of a peer; see {@linkcode PeerStatus}. */
export type RoleStatus = Pick<PeerStatus, "conflict" | "serverReason">;

/** Describes a peer as it is at `now`. */
export function peerStatus(peer: Peer, now: number, ofRole: RoleStatus): PeerStatus {
  const session = peer.current;
  const { holds, heldEver } = peer.receiver.resequencer;
  return {
    name: peer.name,
    ...ofRole,
    state: !session ? "connecting" : peer.anyPathUp ? "up" : "down",
    cipher: session?.cipher ?? "",
    sessionAgeUs: session ? now - session.createdAtUs : 0,
    connectedAgeUs: session ? now - peer.connectedAtUs : 0,
    remote: peer.remote?.toString() ?? "",
    ...!session && peer.ended &&
      { reason: peer.ended.reason, endedAgeUs: now - peer.ended.atUs },
    links: peer.paths.filter(isShown).map((path) => linkStatus(peer, path, now)),
    sentPackets: peer.transmitter.sentPackets,
    sentBytes: peer.transmitter.sentBytes,
    receivedPackets: peer.data.packets,
    receivedBytes: peer.data.bytes,
    queuedPackets: peer.sender.waiting,
    resentPackets: peer.transmitter.resentPackets,
    lostPackets: peer.sender.lostPackets,
    duplicatedPackets: peer.sender.duplicatedPackets,
    heldPackets: heldEver,
    holdP50Us: holds.percentileUs(0.5),
    holdP99Us: holds.percentileUs(0.99),
  };
}

/** Whether a path stands for a link; so does that of one that is off. */
function isShown({ isThere, options }: Path): boolean {
  return isThere || options.off !== undefined;
}

function linkStatus(peer: Peer, path: Path, now: number): LinkStatus {
  const receiver = peer.receiver.links[path.options.id]!;
  const mtuReason = path.mtu.reason;
  const { off } = path.options;
  return {
    name: path.name || path.options.name,
    id: path.options.id,
    state: off !== undefined ? "down" : peer.current ? path.live.state : "connecting",
    stateAgeUs: now - path.live.sinceUs,
    reason: off ?? reasonOf(peer, path, now),
    ...off !== undefined && { off: true },
    ...receiver.receivedDatagrams > 0 && { heardAgeUs: now - receiver.receivedAtUs },
    tier: path.tier,
    metered: path.live.metered,
    mtu: path.mtu.size,
    remoteMtu: path.remoteMtuBytes,
    ...mtuReason !== undefined && { mtuReason },
    remote: path.remote?.toString() ?? "",
    srttUs: path.rtt.sampled ? path.rtt.srttUs : 0,
    rttvarUs: path.rtt.sampled ? path.rtt.rttvarUs : 0,
    jitterUs: path.rtt.jitterUs,
    skewUs: skewUs(peer, path),
    sendLoss: path.loss,
    residualLoss: path.residualLoss,
    receiveLoss: peer.receiver.loss(path.options.id),
    rateBps: path.rate.rateBps,
    sendBps: path.sent.rateBps(now),
    receiveBps: receiver.received.rateBps(now),
    sentBytes: path.sent.totalBytes,
    receivedBytes: receiver.received.totalBytes,
    sentDatagrams: path.sentDatagrams,
    receivedDatagrams: receiver.receivedDatagrams,
    inFlightBytes: path.flight.bytes,
  };
}

/** Why a link is not used, or why it is not up. */
function reasonOf(peer: Peer, path: Path, now: number): string {
  const { live, remote } = path;
  if (live.state === "up") return peer.sender.whyUnused(path, now) ?? "";
  if (live.reason !== WAITING || !peer.anyPathUp || !remote) return live.reason ?? "";
  if (now - live.sinceUs < ANSWERED_US) return live.reason;
  return `no answer from ${remote}, though the server answers on other links: it may not listen on ` +
    "that port, or a firewall keeps it out";
}

/** A link that is not up, or has not carried anything, has no delay that could be compared. */
function skewUs(peer: Peer, path: Path): number {
  if (path.live.state !== "up" || path.owdWire === 0) return 0;
  let skew = 0;
  for (const other of peer.paths) {
    if (other.live.state !== "up" || other.owdWire === 0) continue;
    skew = Math.max(skew, timeDifference(path.owdWire, other.owdWire));
  }
  return skew;
}
