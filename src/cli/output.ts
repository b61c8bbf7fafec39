/**
 * The standard streams.
 *
 * @module
 */

import { terminalColumns } from "./terminal.ts";
import { textColumns } from "./wrap.ts";

/** Where a run of the program writes, so that tests can read it. */
export interface Output {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether to colour stdout when nobody chose: it is a terminal, and NO_COLOR is not set. */
  readonly likesColor: boolean;
  /** Aborted when nobody reads stdout any more; absent: that is not known. */
  readonly gone?: AbortSignal;
  /** Width of text for people on stdout. */
  readonly columns: number;
}

/** Returns the streams of this process. */
export function processOutput(): Output {
  const reader = new AbortController();
  return {
    stdout: streamWriter(Deno.stdout, () => reader.abort()),
    stderr: streamWriter(Deno.stderr),
    likesColor: Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR"),
    gone: reader.signal,
    columns: textColumns(terminalColumns()),
  };
}

/** A stream that may take less than it is given, or be a broken pipe. */
export interface ByteStream {
  readonly writeSync: (bytes: Uint8Array) => number;
}

/** Returns a function that writes whole texts, but nothing once the reader has gone: `onBroken`. */
export function streamWriter(
  stream: ByteStream,
  onBroken: () => void = () => {},
): (text: string) => void {
  const encoder = new TextEncoder();
  let isBroken = false;
  return (text) => {
    let rest = encoder.encode(text);
    while (!isBroken && rest.length > 0) {
      try {
        rest = rest.subarray(stream.writeSync(rest));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) continue;
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        isBroken = true;
        onBroken();
      }
    }
  };
}
