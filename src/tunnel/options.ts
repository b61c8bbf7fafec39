/**
 * What an {@linkcode Endpoint} is told once, and what it reports as it runs.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import type { InnerNetworks } from "../inner_networks.ts";
import type { AeadProvider } from "../crypto/aead.ts";
import type { Duplicate } from "../duplicate.ts";
import type { LinkOptions } from "../link_options.ts";
import type { Remote } from "../remote.ts";
import type { RuleOptions } from "../rule_options.ts";
import type { Schedule } from "../schedule.ts";
import type { PacketPool } from "../slab.ts";

export { MTU_SOUGHT } from "../links/path_mtu.ts";

/**
 * A link as the client's endpoint knows it; link ids are positions in the list, which
 * {@linkcode Endpoint.setLink} changes.
 */
export interface ClientLink extends LinkOptions {
  readonly name: string;
  /**
   * Where to send to each server, which {@linkcode Endpoint.setRemote} changes; undefined until it
   * is known. The socket index is the link id.
   */
  readonly remotes: readonly (Remote | undefined)[];
}

/** The place of a link that is there no more; another may take it. */
export const NO_LINK: ClientLink = {
  name: "",
  remotes: [],
  tier: "backup",
  metered: true,
  spare: true,
  timeoutUs: 1_000_000,
};

/** A client as the server's endpoint knows it. */
export interface ClientOptions {
  readonly name: string;
  /** 32 bytes. */
  readonly psk: Uint8Array;
  /** Inner networks it may use; empty: any. */
  readonly allowed: readonly Prefix[];
}

/** How an end treats what it sends. */
export interface PolicyOptions {
  /** How to treat some of the packets that this end sends; the first match counts. */
  readonly rules?: readonly RuleOptions[];
  /** For interactive packets where no rule says so; "needed" when absent. */
  readonly duplicate?: Duplicate;
  /** How the links share what this end sends; "fast" when absent. */
  readonly schedule?: Schedule;
  /** This end's addresses in the tunnel: no packet that arrives comes from there. */
  readonly own?: InnerNetworks["own"];
}

/** Shared by both roles. */
interface CommonOptions extends PolicyOptions {
  readonly pool: PacketPool;
  readonly aead: AeadProvider;
  /** Fills `out` with random bytes: the system's in the daemon, seeded in the simulator. */
  readonly random: (out: Uint8Array) => void;
  /** Largest inner packet, in bytes. */
  readonly mtu: number;
}

/** Options of the end that begins the handshake. */
export interface ClientEndpointOptions extends CommonOptions {
  readonly role: "client";
  /** 32 bytes. */
  readonly psk: Uint8Array;
  /** Names of the servers, the best one first; at least one. */
  readonly servers: readonly string[];
  readonly links: readonly ClientLink[];
  /** Where packets of the server may come from, as those of a client at the server; absent: any. */
  readonly allowed?: InnerNetworks["allowed"];
  /**
   * Returns the time stamp of a handshake that begins at `now`, in microseconds since 1970. Each
   * MUST be later than all before, those of earlier lives too: the server refuses any other.
   */
  readonly stampUs: (now: number) => number;
}

/** Options of the end that answers. */
export interface ServerEndpointOptions extends CommonOptions {
  readonly role: "server";
  readonly clients: readonly ClientOptions[];
}

/** Options of either end. */
export type EndpointOptions = ClientEndpointOptions | ServerEndpointOptions;

/** Something that happened; the driver logs it and acts on it. */
export type EndpointEvent =
  | {
    readonly type: "session";
    readonly peer: string;
    readonly state: "up" | "down" | "rekeyed";
    /** From where the peer agreed to one that is up. */
    readonly remote?: string;
    /** Why it is down, if that is known. */
    readonly reason?: string;
  }
  | {
    /** A client uses another one of its servers. */
    readonly type: "server";
    readonly server: string;
    /** What one of them does: `a.example does not answer`. */
    readonly reason: string;
  }
  | {
    readonly type: "link";
    readonly peer: string;
    readonly link: string;
    /** Its number, which names of the other end's choice cannot confuse. */
    readonly id: number;
    readonly state: "up" | "suspect" | "down";
    readonly before: "connecting" | "up" | "suspect" | "down";
    /** Why it is not up; empty when it is. */
    readonly reason: string;
    /** How long it was in the state before, in microseconds. */
    readonly beforeUs: number;
    /** Packets that were on it since it was up, and left again by others. */
    readonly resentPackets: number;
    /** Names of the links that are up and may take them. */
    readonly others: readonly string[];
    /** The whole session has ended, as another event tells. */
    readonly withSession: boolean;
  }
  | {
    readonly type: "roamed";
    readonly peer: string;
    readonly link: string;
    readonly remote: string;
  }
  | {
    /** Two hosts use one client's key in turn; at most one event in ten seconds for each client. */
    readonly type: "conflict";
    readonly peer: string;
    /** Where they are: `now 192.0.2.7:4000, before 198.51.100.3:5000`. */
    readonly hosts: string;
  }
  | {
    /** A packet was dropped that a peer sent from an address that is not its own; said seldom. */
    readonly type: "foreign-source";
    readonly peer: string;
    /** An inner address. */
    readonly source: string;
  }
  | {
    /** The largest packet that the links in use carry has changed. */
    readonly type: "mtu";
    readonly peer: string;
    /** Bytes of the inner IP packet. */
    readonly mtu: number;
  }
  | {
    /** The client should open a fresh socket for this link: the old one's path stays dead. */
    readonly type: "rebind";
    readonly link: number;
  }
  | {
    /** A handshake leads to nothing; at most one event in ten seconds of each reason. */
    readonly type: "handshake-failed";
    readonly remote: string;
    readonly reason: string;
  };

/** State of one link, as `status` shows it. Rates in bit/s of IP packets, times in microseconds. */
export interface LinkStatus {
  readonly name: string;
  readonly id: number;
  readonly state: "connecting" | "up" | "suspect" | "down";
  /** How long it has been in that state, a suspicion that proved wrong not counted. */
  readonly stateAgeUs: number;
  /** Why it is not used, in words; empty when it is. */
  readonly reason: string;
  /** How long ago something was heard on it; absent: nothing ever was. */
  readonly heardAgeUs?: number;
  /** Whether it was switched off; absent when it was not. */
  readonly off?: true;
  readonly tier: string;
  readonly metered: boolean;
  /** Largest IP packet that it is known to carry in our direction, in bytes. */
  readonly mtu: number;
  /** The same in the other direction, as the peer says; 0 while it has not. */
  readonly remoteMtu: number;
  /** Why that is no more, in words; absent when it is all that was wanted. */
  readonly mtuReason?: string;
  /** What it may carry in a month and has carried in this one, in bytes; the shell knows months. */
  readonly quotaBytes?: number;
  readonly quotaUsedBytes?: number;
  /** Date on which the next month begins, such as `2026-12-15`. */
  readonly quotaEnds?: string;
  readonly remote: string;
  readonly srttUs: number;
  readonly rttvarUs: number;
  /** How much round trips differ from what is usual. */
  readonly jitterUs: number;
  /** How much later than on the nearest link that is up packets arrive at the peer. */
  readonly skewUs: number;
  /** Fraction of our datagrams that the peer reports missing, recent. */
  readonly sendLoss: number;
  /** Fraction that was lost for good, although all that may be was sent again. */
  readonly residualLoss: number;
  /** Fraction of the peer's datagrams that we miss, recent. */
  readonly receiveLoss: number;
  /** What the pacer believes the link carries. */
  readonly rateBps: number;
  /** Measured over the last second. */
  readonly sendBps: number;
  readonly receiveBps: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentDatagrams: number;
  readonly receivedDatagrams: number;
  readonly inFlightBytes: number;
}

/** State of one peer. */
export interface PeerStatus {
  readonly name: string;
  /** Why this server is used and not the first one (client); absent when it is the first. */
  readonly serverReason?: string;
  /** Where the hosts are that use its key in turn (server); absent when there is only one. */
  readonly conflict?: string;
  readonly state: "connecting" | "up" | "down";
  readonly cipher: string;
  /** Microseconds since there are the present keys; 0 without a session. */
  readonly sessionAgeUs: number;
  /** Microseconds since there is a session without a break; 0 likewise. */
  readonly connectedAgeUs: number;
  /** Where the peer was heard from last; empty before it was. */
  readonly remote: string;
  /** Why there is no session, in words; absent with one, and when there has not been one. */
  readonly reason?: string;
  /** For how long there has been no session since there was one; absent likewise. */
  readonly endedAgeUs?: number;
  readonly links: readonly LinkStatus[];
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly queuedPackets: number;
  readonly resentPackets: number;
  /** Packets that were lost for good. */
  readonly lostPackets: number;
  /** Packets that left on several links at once. */
  readonly duplicatedPackets: number;
  /** Packets that waited for an earlier one of their flow. */
  readonly heldPackets: number;
  readonly holdP50Us: number;
  readonly holdP99Us: number;
}

/** What `status` shows. */
export interface EndpointStatus {
  readonly role: "client" | "server";
  readonly mtu: number;
  readonly aead: string;
  readonly peers: readonly PeerStatus[];
  /** Drops by reason, of all peers and of none. */
  readonly drops: Readonly<Record<string, number>>;
}
