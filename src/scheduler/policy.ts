/**
 * The seam of the scheduler: what may be decided about links in more than one way.
 *
 * The {@linkcode Sender} moves packets, a policy says which link is asked, when and for what.
 * It decides for packets that no rule pins to links; what a rule says about copies goes first.
 *
 * @module
 */

import type { Path } from "../links/path.ts";

/** Decides how links are used. Instants in microseconds; Infinity: not for now. */
export interface Policy {
  /** Looks at the links; called before anything else is asked at a new instant. */
  look(now: number): void;

  /** A packet of `length` bytes is about to be queued; may assign its flow to another group. */
  place(now: number, bucket: number, length: number): void;

  /** The group of flows that a link serves. */
  groupOf(path: Path): number;

  /** When a link may take from the flows that wait. */
  opensAtUs(now: number, path: Path): number;

  /** When a packet that need not wait for its turn would arrive, given to a link now. */
  urgentArrivalAtUs(now: number, path: Path): number;

  /** Whether a link may carry copies of what leaves on another. */
  mayCopy(now: number, path: Path): boolean;

  /** The copies of a packet for which no rule says: `asked`, as configured, or more. */
  copies(asked: number): number;

  /** Whether CoDel may act on what `path` takes: only when what waits tells about the links. */
  mayDrop(now: number, path: Path): boolean;

  /** Bulk left on a link. */
  noteSent(path: Path, bytes: number): void;

  /** Bulk was acknowledged for the first time. */
  noteDelivered(bytes: number): void;

  /** Why a link that is up may be unused, in words. */
  whyUnused(now: number, path: Path): string | undefined;
}
