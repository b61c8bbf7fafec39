/**
 * Whoever reads what a command prints, and may go away while there is nothing to print: `head` has
 * seen enough, and a shell that waits for the whole pipeline would wait for the next event.
 *
 * @module
 */

const STDOUT_FD = 1;

/** Tells when the reader has gone. */
export interface Reader extends AsyncDisposable {
  readonly gone: AbortSignal;
}

/** Watches the reader of stdout until it is disposed; `broken` is aborted when a write fails. */
export async function watchReader(broken: AbortSignal | undefined): Promise<Reader> {
  const aborter = new AbortController();
  const gone = broken ? AbortSignal.any([broken, aborter.signal]) : aborter.signal;
  if (!isPipe()) return { gone, [Symbol.asyncDispose]: () => Promise.resolve() };
  const { detectPlatform } = await import("../platform/detect.ts");
  const poller = detectPlatform().openPoller();
  // Nothing can be read from this end of a pipe: it is ready when the other end is closed.
  poller.watch([{ fd: STDOUT_FD, writable: false }]);
  let isOver = false;
  const watching = (async (): Promise<void> => {
    while (!isOver && !poller.ready(0)) await poller.wait(Infinity);
    if (!isOver) aborter.abort();
  })();
  return {
    gone,
    async [Symbol.asyncDispose](): Promise<void> {
      isOver = true;
      poller.wake();
      await watching;
      poller.close();
    },
  };
}

/** Where the system does not tell, the next write finds out. */
function isPipe(): boolean {
  try {
    return Deno.statSync("/dev/stdout").isFifo === true;
  } catch {
    return false;
  }
}
