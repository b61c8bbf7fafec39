/**
 * Lines for a stream whose reader may stop: a pipe to a log service that hangs, a terminal in which
 * somebody has typed Control-S. The program goes on; lines that find no room are counted.
 *
 * @module
 */

/** Bytes that may wait to be written; what comes beyond is lost. */
const LIMIT_BYTES = 64 * 1024;
/** Bytes of one write at most: with a pipe on Linux, those that it takes as a whole (PIPE_BUF). */
const CHUNK_BYTES = 4096;
/** Pause before another try when the stream takes nothing and does not wait, in milliseconds. */
const RETRY_MS = 100;

/** Where lines go: resolves with how many bytes were taken, once there was room for some. */
export interface AsyncStream {
  readonly write: (bytes: Uint8Array) => Promise<number>;
}

/** Writes texts in order, without ever making the caller wait. */
export class PatientStream {
  readonly #stream: AsyncStream;
  readonly #noteOf: (lost: number) => string;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #isBroken = false;
  #writing: Promise<void> | undefined;

  /** @param noteOf the line that says how many texts were lost */
  constructor(stream: AsyncStream, noteOf: (lost: number) => string) {
    this.#stream = stream;
    this.#noteOf = noteOf;
  }

  /** Writes `text`, a line or several, when the stream has room; nothing once its reader is gone. */
  readonly write = (text: string): void => {
    if (this.#isBroken) return;
    const bytes = new TextEncoder().encode(text);
    if (this.#waitingBytes + bytes.length > LIMIT_BYTES) {
      this.#lost++;
      return;
    }
    this.#noteLost();
    this.#add(bytes);
    this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
  };

  /** Waits until everything is written, at most `ms` milliseconds; tells whether it is. */
  async flush(ms: number): Promise<boolean> {
    const writing = this.#writing;
    if (writing === undefined) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<boolean>((resolve) => timer = setTimeout(resolve, ms, false));
    try {
      return await Promise.race([writing.then(() => true), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #add(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #noteLost(): void {
    if (this.#lost === 0) return;
    this.#add(new TextEncoder().encode(this.#noteOf(this.#lost)));
    this.#lost = 0;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#takeChunk();
      if (!await this.#writeChunk(join(lines))) {
        // What is wrong may pass, such as a full disk: try again with the next line.
        this.#lost += lines.length + this.#waiting.length;
        this.#waiting.length = 0;
        break;
      }
      if (this.#waiting.length === 0) this.#noteLost();
    }
    this.#waitingBytes = 0;
  }

  /** Takes lines of together {@linkcode CHUNK_BYTES}, or a single longer one. */
  #takeChunk(): Uint8Array[] {
    let count = 0;
    let size = 0;
    for (const line of this.#waiting) {
      if (count > 0 && size + line.length > CHUNK_BYTES) break;
      size += line.length;
      count++;
    }
    this.#waitingBytes -= size;
    return this.#waiting.splice(0, count);
  }

  async #writeChunk(chunk: Uint8Array): Promise<boolean> {
    for (let at = 0; at < chunk.length;) {
      try {
        at += await this.#stream.write(chunk.subarray(at));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) await delay(RETRY_MS);
        else {
          this.#isBroken ||= error instanceof Deno.errors.BrokenPipe;
          return false;
        }
      }
    }
    return true;
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
