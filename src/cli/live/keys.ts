/**
 * Keys and signals that a full-screen command lives by.
 *
 * @module
 */

/** What they do. */
export interface KeyActions {
  readonly quit: () => void;
  /** The terminal has another size, or was somebody else's for a while. */
  readonly redraw: () => void;
  /** The user stops the program for a while: Ctrl-Z. */
  readonly suspend: () => void;
}

const QUIT: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Listens until the returned function is called. */
export function listenForKeys({ quit, redraw, suspend }: KeyActions): () => void {
  const listeners: readonly (readonly [Deno.Signal, () => void])[] = [
    ...QUIT.map((signal) => [signal, quit] as const),
    ["SIGWINCH", redraw],
    ["SIGCONT", redraw],
    ["SIGTSTP", suspend],
  ];
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  if (Deno.stdin.isTerminal()) void readKeys(quit, redraw);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

/** Ends with the program: a read of a terminal cannot be called off. */
async function readKeys(quit: () => void, redraw: () => void): Promise<void> {
  const keys = new Uint8Array(64);
  for (;;) {
    const count = await Deno.stdin.read(keys).catch(() => null);
    if (count === null) return quit(); // the terminal is gone
    const text = new TextDecoder().decode(keys.subarray(0, count));
    if (/^[qQ\x04]/.test(text)) return quit();
    if (text === "\x0c") redraw();
  }
}
