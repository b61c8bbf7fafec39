/**
 * Which bytes of a stream each numbered segment holds. Sizes change only for segments that have not
 * been sent; what was sent keeps its number and its bytes.
 *
 * When a segment has to be sent again after the maximum segment size has shrunk, it goes in pieces,
 * each with its own header, as Linux cuts it (tcp_fragment() of net/ipv4/tcp_output.c). One
 * thing is simpler than there: the pieces have one entry in the scoreboard, so they count as one
 * segment of the window, are acknowledged together, and are sent again together.
 *
 * @module
 */

/** Segments from number `from` on, which begin at byte `start`, have `bytes` each. */
interface Stretch {
  readonly from: number;
  readonly start: number;
  readonly bytes: number;
}

/** The segments of one direction of a connection, as both ends know them. */
export class Segmentation {
  /** In order; the last one goes on for ever. */
  readonly #stretches: Stretch[];

  constructor(bytes: number) {
    this.#stretches = [{ from: 0, start: 0, bytes }];
  }

  /** Gives segments `bytes` from number `from` on, none of which was sent. */
  resize(from: number, bytes: number): void {
    const start = this.startOf(from);
    while (this.#stretches.length > 0 && this.#stretches.at(-1)!.from >= from) {
      this.#stretches.pop();
    }
    if (this.#stretches.at(-1)?.bytes !== bytes) this.#stretches.push({ from, start, bytes });
  }

  /** The first byte of a segment. */
  startOf(segment: number): number {
    const { from, start, bytes } = this.#stretchOf(segment);
    return start + (segment - from) * bytes;
  }

  sizeOf(segment: number): number {
    return this.#stretchOf(segment).bytes;
  }

  /** The segment that holds a byte. */
  segmentAt(byte: number): number {
    const found = this.#stretches.findLast(({ start }) => start <= byte) ?? this.#stretches[0]!;
    return found.from + Math.floor((byte - found.start) / found.bytes);
  }

  #stretchOf(segment: number): Stretch {
    const last = this.#stretches.at(-1)!;
    if (segment >= last.from) return last;
    return this.#stretches.findLast(({ from }) => from <= segment) ?? this.#stretches[0]!;
  }
}

/** Puts together segments that come in pieces. */
export class Pieces {
  /** By segment: what has come, as pairs of first byte and the byte after the last. */
  readonly #parts = new Map<number, (readonly [number, number])[]>();

  /**
   * Notes the bytes of a segment of `size` bytes from `from` to before `to`; returns whether
   * it is whole now.
   */
  add(segment: number, size: number, from: number, to: number): boolean {
    const parts = this.#parts.get(segment) ?? [];
    if (from > 0 || to < size) {
      parts.push([from, to]);
      this.#parts.set(segment, parts);
      if (endOf(parts) < size) return false;
    }
    this.#parts.delete(segment);
    return true;
  }
}

/** Up to where there is no gap. */
function endOf(parts: readonly (readonly [number, number])[]): number {
  return parts.toSorted((a, b) => a[0] - b[0]).reduce(
    (end, [from, to]) => from <= end ? Math.max(end, to) : end,
    0,
  );
}
