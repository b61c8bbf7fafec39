/**
 * What an examination finds out, before anybody says what it means. Times in microseconds.
 *
 * @module
 */

import type { ClockState } from "../platform/platform.ts";

/** What came of sending to a port. */
export type PortState =
  /** A message of the network said that the port is closed. */
  | "closed"
  /** ... that nothing gets there: a router or a firewall refuses. */
  | "unreachable"
  /** This host's firewall did not let it leave. */
  | "denied"
  /** Something answered. */
  | "answered"
  | "silent";

/** A server's name by the way of a link. */
export interface NameFacts {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly tookUs: number;
  readonly problem?: string;
}

/** A link that nothing else uses, as its probes saw it. */
export interface IdleFacts {
  readonly rttUs: number;
  readonly jitterUs: number;
  readonly probes: number;
  /** Fractions of what was sent up and down. */
  readonly lossUp: number;
  readonly lossDown: number;
  readonly isLossy: boolean;
  /** Whether packets of the tunnel travelled at the same time. */
  readonly isBusy: boolean;
}

/** A link that is full in one direction. */
export interface LoadFacts {
  /** Bits per second of IP packets; 0: it could not be measured. */
  readonly bps: number;
  /** Round trip once it was full. */
  readonly rttUs: number;
  readonly loss: number;
  /** Why it could not be measured, in words. */
  readonly problem?: string;
}

/** What is at the other end of a web address. */
export type PortalState =
  | { readonly state: "open" }
  | { readonly state: "captured"; readonly by: string }
  | { readonly state: "unknown"; readonly problem: string };

/** How long the way back stays open. */
export interface MappingFacts {
  /** Seconds of silence after which the server got through; 0: it did not after any. */
  readonly livesS: number;
  /** ... and after which it did not. */
  readonly endsS?: number;
  readonly problem?: string;
}

/** One link. */
export interface LinkFacts {
  readonly name: string;
  /** Whether what it carries costs: it is metered, or has a quota. */
  readonly isCostly: boolean;
  /** How it leaves, in words: `by eth0 from 192.0.2.7`. */
  readonly way: string;
  /** Name of its interface, if it is tied to one. */
  readonly interface?: string;
  readonly names: readonly NameFacts[];
  /** Why nothing can leave, in words. */
  readonly obstacle?: string;
  /** Why there is no socket. */
  readonly socketProblem?: { readonly message: string; readonly hint?: string };
  /** Where it sends, and from where. */
  readonly server?: string;
  readonly local?: string;
  readonly isUp: boolean;
  /** Why the tunnel does not use it on purpose, in words. */
  readonly unused?: string;
  /** What its server's port does, and a port that nobody listens on. */
  readonly port?: PortState;
  readonly closedPort?: PortState;
  /** Why this host may drop the answers. */
  readonly filter?: { readonly message: string; readonly hint?: string };
  readonly idle?: IdleFacts;
  /** Largest IP packets in bytes; 0 where it is not known. */
  readonly mtuUp?: number;
  readonly mtuDown?: number;
  /** Address and port that the server sees. */
  readonly seenAs?: string;
  readonly up?: LoadFacts;
  readonly down?: LoadFacts;
  /** Why it was not filled although that was asked for, in words. */
  readonly notFilled?: string;
  readonly mapping?: MappingFacts;
  readonly portal?: PortalState;
}

/** Everything. */
export interface Facts {
  readonly tunnel: string;
  /** Whether the tunnel itself was asked. */
  readonly isRunning: boolean;
  readonly clock?: ClockState;
  /** Whether somebody answered on any link. */
  readonly anyUp: boolean;
  readonly links: readonly LinkFacts[];
}
