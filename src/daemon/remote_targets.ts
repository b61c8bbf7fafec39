/**
 * What is known of where a client's links send: names, the addresses that they have, and when it is
 * time to try another or to ask again.
 *
 * @module
 */

import { Address, type Family } from "../address.ts";
import { remotesOf } from "../platform/resolve.ts";
import type { Remote } from "../remote.ts";

/** Pauses between attempts to look up a name of which no address is known, in microseconds. */
const RETRY_US: readonly number[] = [1e6, 2e6, 4e6, 8e6, 16e6, 30e6];
/** ... and of a name with addresses that do not answer. */
const AGAIN_US: readonly number[] = [30e6, 60e6, 120e6];
/** Silence on a link that worked, after which its server may have moved, in microseconds. */
export const SILENCE_US = 10e6;
/** Time for an answer from an address that has not worked yet: five INITs. */
const TRY_US = 3e6;

/** Where a server is, for one link. */
export interface RemoteHost {
  readonly host: Address | string;
  readonly port: number;
}

/** A link, and where it may send. */
export interface RemoteLink {
  /** Empty: another link tells the same. */
  readonly name: string;
  /** By server. */
  readonly hosts: readonly RemoteHost[];
  /** The only family of addresses that it can send to; absent: either. */
  readonly family?: Family;
  /** Where its hosts are looked up (OpenBSD). */
  readonly rdomain?: number;
}

/** A name as seen in one routing domain. */
export interface Name {
  readonly host: string;
  readonly targets: Target[];
  /** Lookups in a row that changed nothing for a silent link, and when the last one ended. */
  lookups: number;
  lookedAtUs: number;
  isAsked: boolean;
}

/** Where one link sends to reach one server. */
export interface Target {
  readonly id: number;
  readonly server: number;
  readonly link: RemoteLink;
  readonly host: Address | string;
  readonly port: number;
  family: Family | undefined;
  /** In the order in which they are tried; empty until something is known. */
  candidates: readonly Remote[];
  current: Remote | undefined;
  /** Why there is no address. */
  reason: string | undefined;
  /** What last worked. */
  worked: Remote | undefined;
  /** When the link last worked, or had no socket. */
  quietSinceUs: number;
  triedAtUs: number;
  /** Addresses that were tried since it last worked. */
  tries: number;
  isAsked: boolean;
}

/** The socket of a link. */
export interface Socket {
  family: Family | undefined;
  /** Whether it cannot be of the other family. */
  isFixed: boolean;
  /** Since when it is of this family while nothing works. */
  sinceUs: number;
  readonly targets: readonly Target[];
}

/** A link and a server of it, to whose first known address it sends. */
export function newTarget(
  now: number,
  id: number,
  server: number,
  link: RemoteLink,
  { host, port }: RemoteHost,
): Target {
  const { family } = link;
  const candidates = host instanceof Address ? remotesOf(host, [host], port, family) : [];
  return {
    id,
    server,
    link,
    host,
    port,
    family,
    candidates,
    current: candidates[0],
    reason: undefined,
    worked: undefined,
    quietSinceUs: now,
    triedAtUs: now,
    tries: 1,
    isAsked: false,
  };
}

/** The family of the best server of which an address is known. */
export function firstFamily(targets: readonly Target[]): Family | undefined {
  return targets.find(({ current }) => current)?.current?.family;
}

/** When a name may be looked up again. */
export function dueAtUs({ targets, lookups, lookedAtUs }: Name): number {
  if (lookups === 0) return lookedAtUs + AGAIN_US[0]!;
  const pauses = targets.every(({ current }) => current !== undefined) ? AGAIN_US : RETRY_US;
  return lookedAtUs + pauses[Math.min(lookups, pauses.length) - 1]!;
}

/** How long the current address gets: less while there are others that were not tried. */
export function patienceUs({ tries, candidates }: Target): number {
  return tries > 0 && tries < candidates.length ? TRY_US : SILENCE_US;
}
