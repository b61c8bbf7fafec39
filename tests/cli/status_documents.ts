/**
 * Answers to `status` for tests.
 *
 * @module
 */

import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus, PeerStatus } from "../../src/tunnel/options.ts";

/** A link that works. */
export const DSL: LinkStatus = {
  name: "dsl",
  id: 0,
  state: "up",
  stateAgeUs: 11_000e6,
  reason: "",
  heardAgeUs: 20_000,
  tier: "primary",
  metered: false,
  mtu: 1500,
  remoteMtu: 1500,
  remote: "192.0.2.1:5080",
  srttUs: 21_340,
  rttvarUs: 420,
  jitterUs: 420,
  skewUs: 0,
  sendLoss: 0,
  residualLoss: 0,
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
/** A link that does not. */
export const LTE: LinkStatus = {
  ...DSL,
  name: "lte",
  id: 1,
  state: "down",
  stateAgeUs: 182e6,
  reason: "no answer to probes, nothing heard for 1150 ms",
  heardAgeUs: 183e6,
  remote: "192.0.2.1:5081",
  tier: "backup",
  srttUs: 0,
  rttvarUs: 0,
  sendLoss: 1,
  receiveLoss: 1,
  rateBps: 0,
  sendBps: 0,
  receiveBps: 0,
  sentBytes: 812,
  receivedBytes: 0,
};
/** The server of both. */
export const PEER: PeerStatus = {
  name: "server",
  state: "up",
  cipher: "aes256gcm",
  sessionAgeUs: 41e6,
  connectedAgeUs: 11_500e6,
  remote: "192.0.2.1:5080",
  links: [DSL, LTE],
  sentPackets: 871_200,
  sentBytes: 1.19e9,
  receivedPackets: 440_120,
  receivedBytes: 31e6,
  queuedPackets: 0,
  resentPackets: 12,
  lostPackets: 1,
  duplicatedPackets: 0,
  heldPackets: 331,
  holdP50Us: 0,
  holdP99Us: 31_000,
};

/** What a client with `links` answers. */
export function document(
  links: readonly LinkStatus[],
  drops: Record<string, number> = {},
): StatusDocument {
  return {
    version: 1,
    daemon: {
      name: "home",
      pid: 812,
      uptimeUs: 11_540e6,
      rssBytes: 57.2e6,
      interface: "agg0",
      addresses: ["10.7.0.2/30", "fd00::2/64"],
      offload: "checksum, TSO",
      tunDrops: 0,
      tunOversize: 0,
      tunMalformed: 0,
      sockets: [{ name: "dsl", local: "192.0.2.7:40000", receiveDrops: 12 }],
    },
    tunnel: { role: "client", mtu: 1434, aead: "libcrypto", drops, peers: [{ ...PEER, links }] },
  };
}
