/**
 * What of a status is a metric, by the conventions of Prometheus: base units, counters that only
 * grow, a name for each thing that may be compared or added up.
 *
 * Rates over the last second are left out: whoever collects has `rate()`, over any time.
 *
 * @module
 */

import type { LinkStatus, PeerStatus } from "../tunnel/options.ts";
import type { Family, Labels, Sample } from "./exposition.ts";
import type { SocketStatus, StatusDocument } from "./protocol.ts";

/** Says how one metric is read from what is told of a tunnel, a peer or a link. */
interface Metric<T> extends Omit<Family, "samples"> {
  /** Undefined: it is not known, and there is no sample. */
  readonly value: (of: T) => number | undefined;
}

const US_PER_SECOND = 1e6;
const BITS_PER_BYTE = 8;

const TUNNEL: readonly Metric<StatusDocument>[] = [
  gauge(
    "aggvpn_uptime_seconds",
    "Time since the tunnel was started.",
    ({ daemon }) => daemon.uptimeUs / US_PER_SECOND,
    "seconds",
  ),
  gauge(
    "process_resident_memory_bytes",
    "Resident memory size in bytes.",
    ({ daemon }) => daemon.rssBytes,
    "bytes",
  ),
  gauge(
    "aggvpn_mtu_bytes",
    "Largest packet that the tunnel carries.",
    ({ tunnel }) => tunnel.mtu,
    "bytes",
  ),
];

const SOCKET: readonly Metric<SocketStatus>[] = [
  gauge(
    "aggvpn_socket_open",
    "Whether the socket could be opened: 1 or 0.",
    ({ local }) => local === "" ? 0 : 1,
  ),
  counter(
    "aggvpn_socket_dropped_datagrams",
    "Datagrams lost to a full receive buffer.",
    (socket) => socket.receiveDrops,
  ),
];

const PEER: readonly Metric<PeerStatus>[] = [
  gauge(
    "aggvpn_peer_up",
    "Whether packets reach the peer: 1 or 0.",
    ({ state }) => state === "up" ? 1 : 0,
  ),
  gauge(
    "aggvpn_peer_session_age_seconds",
    "Time since the session's keys were agreed on.",
    (peer) => peer.sessionAgeUs > 0 ? peer.sessionAgeUs / US_PER_SECOND : undefined,
    "seconds",
  ),
  gauge(
    "aggvpn_peer_key_conflict",
    "Whether several hosts use the peer's key in turn: 1 or 0.",
    (peer) => peer.conflict === undefined ? 0 : 1,
  ),
  counter("aggvpn_peer_sent_packets", "Packets sent to the peer.", (peer) => peer.sentPackets),
  counter(
    "aggvpn_peer_sent_bytes",
    "Bytes of the packets sent to the peer.",
    (peer) => peer.sentBytes,
    "bytes",
  ),
  counter(
    "aggvpn_peer_received_packets",
    "Packets delivered from the peer.",
    (peer) => peer.receivedPackets,
  ),
  counter(
    "aggvpn_peer_received_bytes",
    "Bytes of the packets delivered from the peer.",
    (peer) => peer.receivedBytes,
    "bytes",
  ),
  gauge(
    "aggvpn_peer_queued_packets",
    "Packets that wait to be sent.",
    (peer) => peer.queuedPackets,
  ),
  counter(
    "aggvpn_peer_resent_packets",
    "Packets sent again after a loss or an outage.",
    (peer) => peer.resentPackets,
  ),
  counter(
    "aggvpn_peer_duplicated_packets",
    "Packets sent by several links at once.",
    (peer) => peer.duplicatedPackets,
  ),
  counter(
    "aggvpn_peer_held_packets",
    "Packets that waited for an earlier one of their flow.",
    (peer) => peer.heldPackets,
  ),
  gauge(
    "aggvpn_peer_hold_median_seconds",
    "Median of the times that such packets waited.",
    (peer) => peer.heldPackets > 0 ? peer.holdP50Us / US_PER_SECOND : undefined,
    "seconds",
  ),
  gauge(
    "aggvpn_peer_hold_p99_seconds",
    "Time that 99 % of such packets waited at most.",
    (peer) => peer.heldPackets > 0 ? peer.holdP99Us / US_PER_SECOND : undefined,
    "seconds",
  ),
];

const LINK: readonly Metric<LinkStatus>[] = [
  gauge(
    "aggvpn_link_up",
    "Whether the link works, used or not: 1 or 0.",
    ({ state }) => state === "up" || state === "suspect" ? 1 : 0,
  ),
  gauge(
    "aggvpn_link_suspect",
    "Whether an answer is overdue, so that the link is used only if no other is up: 1 or 0.",
    ({ state }) => state === "suspect" ? 1 : 0,
  ),
  gauge("aggvpn_link_off", "Whether the link was switched off: 1 or 0.", ({ off }) => off ? 1 : 0),
  gauge(
    "aggvpn_link_mtu_bytes",
    "Largest IP packet that the link carries to the peer.",
    (link) => link.mtu,
    "bytes",
  ),
  gauge(
    "aggvpn_link_remote_mtu_bytes",
    "Largest IP packet that it carries from the peer.",
    (link) => known(link.remoteMtu),
    "bytes",
  ),
  gauge(
    "aggvpn_link_rtt_seconds",
    "Smoothed round-trip time.",
    (link) => known(link.srttUs / US_PER_SECOND),
    "seconds",
  ),
  gauge(
    "aggvpn_link_rtt_deviation_seconds",
    "Mean deviation of the round-trip time.",
    (link) => link.srttUs > 0 ? link.rttvarUs / US_PER_SECOND : undefined,
    "seconds",
  ),
  gauge(
    "aggvpn_link_send_loss_ratio",
    "Share of our datagrams that the peer misses, recently.",
    (link) => link.sendLoss,
    "ratio",
  ),
  gauge(
    "aggvpn_link_receive_loss_ratio",
    "Share of the peer's datagrams that we miss, recently.",
    (link) => link.receiveLoss,
    "ratio",
  ),
  gauge(
    "aggvpn_link_capacity_bytes_per_second",
    "What the link is believed to carry to the peer.",
    (link) => link.rateBps / BITS_PER_BYTE,
    "bytes_per_second",
  ),
  counter(
    "aggvpn_link_sent_bytes",
    "Bytes of the IP packets sent on the link.",
    (link) => link.sentBytes,
    "bytes",
  ),
  counter(
    "aggvpn_link_received_bytes",
    "Bytes of the IP packets received on the link.",
    (link) => link.receivedBytes,
    "bytes",
  ),
  counter(
    "aggvpn_link_sent_datagrams",
    "Datagrams sent on the link.",
    (link) => link.sentDatagrams,
  ),
  counter(
    "aggvpn_link_received_datagrams",
    "Datagrams received on the link.",
    (link) => link.receivedDatagrams,
  ),
  gauge(
    "aggvpn_link_in_flight_bytes",
    "Bytes that were sent and are not acknowledged yet.",
    (link) => link.inFlightBytes,
    "bytes",
  ),
  gauge(
    "aggvpn_link_quota_bytes",
    "What the link may carry in a month.",
    (link) => link.quotaBytes,
    "bytes",
  ),
  gauge(
    "aggvpn_link_quota_used_bytes",
    "What the link has carried in this month.",
    (link) => link.quotaUsedBytes,
    "bytes",
  ),
];

/** Returns the metrics of a tunnel; those of one family are made when it is asked for. */
export function* metricFamilies(status: StatusDocument): Generator<Family> {
  const { daemon, tunnel } = status;
  const peers = tunnel.peers.map((peer): Labelled<PeerStatus> => [{ peer: peer.name }, peer]);
  const links = tunnel.peers.flatMap(labelledLinks);
  const sockets = daemon.sockets.map((socket): Labelled<SocketStatus> => [
    { socket: socket.name },
    socket,
  ]);
  yield {
    name: "aggvpn_tunnel",
    type: "info",
    help: "What this tunnel is.",
    samples: [{
      labels: {
        tunnel: daemon.name,
        role: tunnel.role,
        interface: daemon.interface,
        cipher: tunnel.aead,
      },
      value: 1,
    }],
  };
  yield* familiesOf(TUNNEL, [[{}, status]]);
  yield drops("aggvpn_drops", "Packets and datagrams dropped by the tunnel.", tunnel.drops);
  yield drops("aggvpn_interface_drops", "Packets dropped at the tunnel interface.", {
    full: daemon.tunDrops,
    stale: daemon.staleDrops ?? 0,
    oversize: daemon.tunOversize,
    malformed: daemon.tunMalformed,
  });
  yield* familiesOf(SOCKET, sockets);
  yield* familiesOf(PEER, peers);
  yield {
    name: "aggvpn_link",
    type: "info",
    help: "How the link is used.",
    samples: links.map(([labels, { tier, metered }]) => ({
      labels: { ...labels, tier, metered: `${metered}` },
      value: 1,
    })),
  };
  yield* familiesOf(LINK, links);
}

type Labelled<T> = readonly [Labels, T];

function* familiesOf<T>(
  metrics: readonly Metric<T>[],
  subjects: readonly Labelled<T>[],
): Generator<Family> {
  for (const { value: valueOf, ...metric } of metrics) {
    const samples = subjects.flatMap(([labels, subject]): Sample[] => {
      const value = valueOf(subject);
      return value === undefined ? [] : [{ labels, value }];
    });
    yield { ...metric, samples };
  }
}

/**
 * Links with their labels. A client names its links as it likes, and two series with the same labels
 * would make a collector refuse all of them: a name that another one has gets its number.
 */
function labelledLinks({ name, links }: PeerStatus): Labelled<LinkStatus>[] {
  const taken = new Set<string>();
  return links.map((link) => {
    let label = link.name;
    while (taken.has(label)) label += `#${link.id}`;
    taken.add(label);
    return [{ peer: name, link: label }, link];
  });
}

function drops(name: string, help: string, counts: Readonly<Record<string, number>>): Family {
  const samples = Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }));
  return { name, type: "counter", help, samples };
}

function known(value: number): number | undefined {
  return value > 0 ? value : undefined;
}

function gauge<T>(
  name: string,
  help: string,
  value: Metric<T>["value"],
  unit?: Family["unit"],
): Metric<T> {
  return { name, type: "gauge", help, value, ...unit && { unit } };
}

function counter<T>(
  name: string,
  help: string,
  value: Metric<T>["value"],
  unit?: Family["unit"],
): Metric<T> {
  return { name, type: "counter", help, value, ...unit && { unit } };
}
