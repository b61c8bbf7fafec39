/**
 * What has arrived over a link, as whoever received it counted, noted now and then: from two such
 * notes follow a rate and what is missing.
 *
 * @module
 */

/** Least time between two notes, in microseconds. */
const EVERY_US = 50_000;
/** More than a test ever takes. */
const MOST_NOTES = 512;
/** A test begins slowly: its rate is that of this last part of its time. */
const LAST_SHARE = 0.5;

/** Totals of a session so far. */
interface Note {
  /** By the receiver's clock. */
  readonly atUs: number;
  readonly datagrams: number;
  /** Of UDP payloads. */
  readonly bytes: number;
  /** The highest counter. */
  readonly newest: number;
}

/** What arrived between two notes. */
export interface Arrived {
  /** Bits per second of IP packets. */
  readonly bps: number;
  readonly datagrams: number;
  /** Fraction of the datagrams that did not arrive. */
  readonly loss: number;
}

const NOTHING: Arrived = { bps: 0, datagrams: 0, loss: 0 };

/** Notes of one direction of a link. */
export class Arrivals {
  readonly #notes: Note[] = [];

  /** The totals are these; what comes too soon after the last note is left out. */
  note(atUs: number, datagrams: number, bytes: number, newest: number): void {
    const last = this.#notes.at(-1);
    // New keys count from zero.
    if (last && newest < last.newest) this.#notes.length = 0;
    else if (last && atUs - last.atUs < EVERY_US) return;
    if (this.#notes.length < MOST_NOTES) this.#notes.push({ atUs, datagrams, bytes, newest });
  }

  /** All that arrived; `headerBytes` are outside each UDP payload. */
  whole(headerBytes: number): Arrived {
    return arrived(this.#notes[0], this.#notes.at(-1), headerBytes);
  }

  /** What arrived in the last part of the time, when the link was full. */
  last(headerBytes: number): Arrived {
    const [first, end] = [this.#notes[0], this.#notes.at(-1)];
    if (!first || !end) return NOTHING;
    const fromUs = end.atUs - LAST_SHARE * (end.atUs - first.atUs);
    return arrived(this.#notes.find(({ atUs }) => atUs >= fromUs), end, headerBytes);
  }
}

function arrived(from: Note | undefined, to: Note | undefined, headerBytes: number): Arrived {
  if (!from || !to || to.atUs <= from.atUs) return NOTHING;
  const datagrams = to.datagrams - from.datagrams;
  const bytes = to.bytes - from.bytes + datagrams * headerBytes;
  const sent = to.newest - from.newest;
  return {
    bps: bytes * 8e6 / (to.atUs - from.atUs),
    datagrams,
    loss: sent > 0 ? Math.max(0, 1 - datagrams / sent) : 0,
  };
}
