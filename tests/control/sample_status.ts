/**
 * A tunnel as `status` tells of it, for what is made of that.
 *
 * @module
 */

import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus, PeerStatus } from "../../src/tunnel/options.ts";

/** A link that works. */
export const LINK: LinkStatus = {
  name: "dsl",
  id: 0,
  state: "up",
  reason: "",
  tier: "primary",
  metered: false,
  mtu: 1500,
  remoteMtu: 1492,
  remote: "192.0.2.1:5080",
  srttUs: 21_340,
  stateAgeUs: 60e6,
  jitterUs: 500,
  skewUs: 0,
  residualLoss: 0,
  rttvarUs: 420,
  sendLoss: 0,
  receiveLoss: 0.0123,
  rateBps: 50.2e6,
  sendBps: 48.1e6,
  receiveBps: 1.214e6,
  sentBytes: 1.21e9,
  receivedBytes: 33.4e6,
  sentDatagrams: 900_000,
  receivedDatagrams: 450_000,
  inFlightBytes: 120_000,
};

/** A peer whose session is up. */
export const PEER: PeerStatus = {
  name: "server",
  state: "up",
  cipher: "aes256gcm",
  connectedAgeUs: 60e6,
  remote: "192.0.2.1:5080",
  lostPackets: 0,
  sessionAgeUs: 41e6,
  links: [LINK],
  sentPackets: 871_200,
  sentBytes: 1.19e9,
  receivedPackets: 440_120,
  receivedBytes: 31e6,
  queuedPackets: 0,
  resentPackets: 12,
  duplicatedPackets: 7,
  heldPackets: 331,
  holdP50Us: 0,
  holdP99Us: 31_000,
};

/** A client's tunnel, or with other peers a server's. */
export function statusOf(
  peers: readonly PeerStatus[] = [PEER],
  role: "client" | "server" = "client",
): StatusDocument {
  return {
    version: 1,
    daemon: {
      name: "home",
      pid: 812,
      uptimeUs: 11_540e6,
      rssBytes: 57.2e6,
      interface: "agg0",
      offload: "checksum, TSO",
      tunDrops: 3,
      tunOversize: 0,
      tunMalformed: 0,
      sockets: [
        { name: "dsl", local: "192.0.2.7:40000", receiveDrops: 12 },
        { name: "lte", local: "", reason: "No such device", receiveDrops: 0 },
      ],
    },
    tunnel: { role, mtu: 1434, aead: "libcrypto", drops: { replay: 4, codel: 0 }, peers },
  };
}
