/**
 * A tunnel as `status` tells of it, for what is made of that.
 *
 * @module
 */

import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus, PeerStatus } from "../../src/tunnel/options.ts";
import { DSL, PEER as SERVER } from "../cli/status_documents.ts";

/** A link that works. */
export const LINK: LinkStatus = { ...DSL, remoteMtu: 1492, stateAgeUs: 60e6, jitterUs: 500 };

/** A peer whose session is up. */
export const PEER: PeerStatus = {
  ...SERVER,
  connectedAgeUs: 60e6,
  links: [LINK],
  lostPackets: 0,
  duplicatedPackets: 7,
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
