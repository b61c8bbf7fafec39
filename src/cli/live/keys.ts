/**
 * Keys and signals that a full-screen command lives by.
 *
 * @module
 */

/** What they do. */
export interface KeyActions {
  readonly quit: () => void;
  /** The terminal has another size, or the user wants to see it anew. */
  readonly redraw: () => void;
  /** The program was stopped for a while, and the terminal was somebody else's. */
  readonly resume: () => void;
}

const QUIT_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** q, and what Ctrl-C and Ctrl-D are where no signals come of them. */
const QUIT_KEYS = ["q", "Q", "\x03", "\x04"];
/** Ctrl-L. */
const REDRAW_KEY = "\x0c";

/** Listens until the returned function is called. */
export function listenForKeys({ quit, redraw, resume }: KeyActions): () => void {
  const listeners: readonly (readonly [Deno.Signal, () => void])[] = [
    ...QUIT_SIGNALS.map((signal) => [signal, quit] as const),
    ["SIGWINCH", redraw],
    ["SIGCONT", resume],
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
    if (QUIT_KEYS.some((key) => text.startsWith(key))) return quit();
    if (text === REDRAW_KEY) redraw();
  }
}
