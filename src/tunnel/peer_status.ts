/**
 * What a peer and its links are doing, for people and programs.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { LinkStatus, PeerStatus } from "./options.ts";
import type { Peer } from "./peer.ts";

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
    links: peer.paths.filter(isShown).map((path) => linkStatus(peer, path, now)),
    sentPackets: peer.transmitter.sentPackets,
    sentBytes: peer.transmitter.sentBytes,
    receivedPackets: peer.data.packets,
    receivedBytes: peer.data.bytes,
    queuedPackets: peer.sender.waiting,
    resentPackets: peer.transmitter.resentPackets,
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
  const reason = path.live.state === "up" ? peer.sender.whyUnused(path, now) : path.live.reason;
  return {
    name: path.name || path.options.name,
    id: path.options.id,
    state: off !== undefined ? "down" : peer.current ? path.live.state : "connecting",
    reason: off ?? reason ?? "",
    tier: path.tier,
    metered: path.live.metered,
    mtu: path.mtu.size,
    remoteMtu: path.remoteMtuBytes,
    ...mtuReason !== undefined && { mtuReason },
    remote: path.remote?.toString() ?? "",
    srttUs: path.rtt.sampled ? path.rtt.srttUs : 0,
    rttvarUs: path.rtt.sampled ? path.rtt.rttvarUs : 0,
    sendLoss: path.loss,
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
