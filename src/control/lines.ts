/**
 * Lines of a stream, with a bound on their length.
 *
 * @module
 */

const NEWLINE = 10;

/** Reads what {@linkcode LineReader} reads from. */
export interface ByteSource {
  read(into: Uint8Array): Promise<number | null>;
}

/** A line was longer than agreed; the stream cannot be read any further. */
export class LineTooLong extends Error {
  override readonly name = "LineTooLong";
}

/** Splits a stream into lines of UTF-8. */
export class LineReader {
  readonly #source: ByteSource;
  readonly #limit: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  /** Bytes of the buffer that are filled. */
  #filled = 0;
  /** Bytes of the buffer known to hold no newline. */
  #searched = 0;

  /** @param limit longest line in bytes, without its newline */
  constructor(source: ByteSource, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  /** Returns the next line without its newline; undefined when the stream ends without one. */
  async read(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.subarray(0, this.#filled).indexOf(NEWLINE, this.#searched);
      if (end >= 0) return this.#take(end);
      this.#searched = this.#filled;
      if (this.#filled > this.#limit) throw new LineTooLong();
      this.#makeRoom();
      const count = await this.#source.read(this.#buffer.subarray(this.#filled));
      if (count === null) return undefined;
      this.#filled += count;
    }
  }

  #take(end: number): string {
    if (end > this.#limit) throw new LineTooLong();
    const line = new TextDecoder().decode(this.#buffer.subarray(0, end));
    this.#buffer.copyWithin(0, end + 1, this.#filled);
    this.#filled -= end + 1;
    this.#searched = 0;
    return line;
  }

  #makeRoom(): void {
    if (this.#filled < this.#buffer.length) return;
    const larger = new Uint8Array(this.#buffer.length * 2);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
