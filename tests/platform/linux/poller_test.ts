import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
} from "@std/assert";
import { TransmitBatch } from "../../../src/batch.ts";
import { type Libc, openLibc } from "../../../src/platform/linux/libc.ts";
import {
  LEAST_ALONE_US,
  type LinuxPoller,
  MAX_ALONE_US,
  openPoller,
  REST_EVERY_US,
  REST_US,
} from "../../../src/platform/linux/poller.ts";
import { type LinuxSocket, openSocket } from "../../../src/platform/linux/socket.ts";
import { remoteOf } from "../../../src/remote.ts";
import { address } from "../../addresses.ts";
import { NOT_LINUX } from "./requirements.ts";

/** What takes longer never ends; below that the machine may just be busy. */
const HANG_MS = 20_000;

/** How long `wait` takes, in milliseconds; fails when it does not end. */
async function timed(wait: () => Promise<void>): Promise<number> {
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${HANG_MS} ms`)), HANG_MS);
  });
  await Promise.race([wait(), hang]).finally(() => clearTimeout(timer));
  return performance.now() - start;
}

/**
 * The same for a wait that is not a rest: one is due {@linkcode REST_EVERY_US} after the last wait
 * of its length, and on a busy host that much time may pass before the wait begins.
 */
async function timedWait(
  poller: LinuxPoller,
  us: number,
  { before: prepare, during: meanwhile }: { before?: () => void; during?: () => void } = {},
): Promise<number> {
  for (;;) {
    prepare?.();
    const before = performance.now();
    await poller.wait(2 * REST_US);
    let began = before;
    const ms = await timed(() => {
      const waiting = poller.wait(us);
      began = performance.now();
      meanwhile?.();
      return waiting;
    });
    if ((began - before) * 1000 < REST_EVERY_US) return ms;
  }
}

/** Returns a function that wakes a wait after 5 ms; of several calls the last one counts. */
function wakingSoon(poller: LinuxPoller): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => poller.wake(), 5);
  };
}

/** Waits until a watched descriptor is ready. */
async function waitUntilReady(poller: LinuxPoller, index: number): Promise<void> {
  await timed(async () => {
    do await poller.wait(Infinity); while (!poller.ready(index));
  });
}

function openLocal(): LinuxSocket {
  return openSocket(openLibc(), { name: "test", family: 4, address: address("127.0.0.1") });
}

function sendTo(socket: LinuxSocket): void {
  const batch = new TransmitBatch();
  batch.lengths[0] = batch.count = 1;
  batch.remotes[0] = remoteOf(
    Uint8Array.of(127, 0, 0, 1),
    Number(socket.localAddress.split(":")[1]),
  );
  socket.send(batch, 0);
}

function test(name: string, fn: (poller: LinuxPoller) => Promise<void>): void {
  Deno.test({
    name,
    ignore: NOT_LINUX,
    fn: async () => {
      const poller = openPoller(openLibc());
      await fn(poller);
      poller.close();
    },
  });
}

test("LinuxPoller.wait() ends after the timeout and not before", async (poller) => {
  for (const us of [300, 1500, 20_000]) {
    assertGreaterOrEqual(await timedWait(poller, us), us / 1000);
  }
});

test("LinuxPoller.wait() of 0 or less lets timers run and ends at once", async (poller) => {
  let ran = false;
  setTimeout(() => ran = true, 0);
  await timed(async () => {
    while (!ran) await poller.wait(-5);
  });
});

test("LinuxPoller.wait() ends when a watched descriptor becomes readable", async (poller) => {
  const sockets = [openLocal(), openLocal()];
  poller.watch(sockets.map(({ fd }) => ({ fd, writable: false })));
  setTimeout(() => sendTo(sockets[1]!), 5);
  await waitUntilReady(poller, 1);
  assertEquals([poller.ready(0), poller.ready(1), poller.ready(2)], [false, true, false]);
  await poller.wait(0);
  assertEquals(poller.ready(1), true);
  for (const socket of sockets) socket.close();
});

test("LinuxPoller.ready() counts a writable descriptor when it was asked to", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }, { fd: socket.fd, writable: true }]);
  await waitUntilReady(poller, 1);
  assertEquals([poller.ready(0), poller.ready(1)], [false, true]);
  socket.close();
});

test("LinuxPoller.ready() reports a closed descriptor, for a read to fail on", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }]);
  socket.close();
  await waitUntilReady(poller, 0);
});

test("LinuxPoller.wake() ends the wait in progress or the next, and only one", async (poller) => {
  await timedWait(poller, Infinity, { during: wakingSoon(poller) });
  poller.wake();
  poller.wake();
  await timed(() => poller.wait(Infinity));
  assertGreaterOrEqual(await timedWait(poller, 3000), 3);
});

test("LinuxPoller.watch() during a wait is for the next one", async (poller) => {
  const socket = openLocal();
  const watch = (writable: boolean): void => poller.watch([{ fd: socket.fd, writable }]);
  const ms = await timedWait(poller, 20_000, {
    before: () => watch(false),
    during: () => watch(true),
  });
  assertGreaterOrEqual(ms, 20);
  assertEquals(poller.ready(0), false);
  await waitUntilReady(poller, 0);
  socket.close();
});

test("LinuxPoller.wait() refuses a second wait at the same time", async (poller) => {
  const first = poller.wait(1000);
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
  await first;
});

test("LinuxPoller.close() ends the wait in progress", async (poller) => {
  const waiting = poller.wait(Infinity);
  poller.close();
  poller.close();
  await timed(() => waiting);
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
});

test("LinuxPoller.wait() takes an absurd timeout", async (poller) => {
  await timedWait(poller, 1e300, { during: wakingSoon(poller) });
});

/** Lets the rest of the program run until it has nothing to do. */
async function settle(poller: LinuxPoller): Promise<void> {
  while (!poller.waitHere(0)) await poller.wait(0);
}

/** Waits here until a wait was not refused and `done` accepts the time it took, in ms. */
async function waitHereUntil(
  poller: LinuxPoller,
  timeoutUs: number,
  done: (ms: number) => boolean,
): Promise<void> {
  await timed(async () => {
    for (;;) {
      const start = performance.now();
      if (!poller.waitHere(timeoutUs)) await poller.wait(0);
      else if (done(performance.now() - start)) return;
    }
  });
}

test("LinuxPoller.waitHere() waits for the timeout or a descriptor", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }]);
  await settle(poller);
  // Shorter when it is the rest of the program's turn.
  await waitHereUntil(poller, 3000, (ms) => {
    assertEquals(poller.ready(0), false);
    return ms >= 3;
  });
  sendTo(socket);
  await waitHereUntil(poller, Infinity, () => poller.ready(0));
  socket.close();
});

test("LinuxPoller.waitHere() lets a signal in", async (poller) => {
  let heard = 0;
  const listener = (): void => void heard++;
  Deno.addSignalListener("SIGUSR2", listener);
  let isLetIn = false;
  // On a busy host the signal may come when the wait is already over.
  for (let i = 0; i < 50 && !isLetIn; i++) {
    await settle(poller);
    const before = heard;
    const start = performance.now();
    Deno.kill(Deno.pid, "SIGUSR2");
    const refused = !poller.waitHere(1e9);
    isLetIn = refused && performance.now() - start < LEAST_ALONE_US / 1000;
    await timed(async () => {
      while (heard === before) await poller.wait(0);
    });
  }
  assertEquals(isLetIn, true);
  Deno.removeSignalListener("SIGUSR2", listener);
});

test("LinuxPoller.waitHere() holds a timer up for a while at most", async (poller) => {
  await settle(poller);
  let ran = false;
  setTimeout(() => ran = true, 0);
  await timed(async () => {
    while (!ran) if (!poller.waitHere(Infinity)) await poller.wait(0);
  });
});

/** How long it keeps everything else from running, in microseconds, `count` times in a row. */
async function timesAlone(poller: LinuxPoller, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    while (poller.waitHere(Infinity));
    times.push((performance.now() - start) * 1000);
    await poller.wait(1e6);
  }
  return times;
}

test("LinuxPoller.waitHere() lets the program look soon after it has run, then ever later", async (poller) => {
  const most = Array.from({ length: 7 }, (_, i) => Math.min(LEAST_ALONE_US << i, MAX_ALONE_US));
  for (const begin of ["letRun", "wake"] as const) {
    // A busy host makes a time longer, or begins it late, but not the same one at every try.
    const shortest = most.map(() => Infinity);
    let longestLast = 0;
    const isRight = (): boolean =>
      shortest.every((us, i) => us < most[i]! + LEAST_ALONE_US) && longestLast > MAX_ALONE_US * 0.9;
    for (let i = 0; i < 20 && !isRight(); i++) {
      poller[begin]();
      await settle(poller);
      const times = await timesAlone(poller, most.length);
      times.forEach((us, i) => shortest[i] = Math.min(shortest[i]!, us));
      longestLast = Math.max(longestLast, times.at(-1)!);
    }
    assertEquals(isRight(), true, `${begin}: ${shortest}, ${longestLast}`);
  }
});

/** Bytes to oneself and back, four times: each step needs the previous one. */
async function converse(): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using one = await Deno.connect({ port: listener.addr.port });
  using other = await listener.accept();
  const bytes = new Uint8Array(1);
  for (let i = 0; i < 4; i++) {
    for (const [from, to] of [[one, other], [other, one]] as const) {
      await from.write(bytes);
      await to.read(bytes);
    }
  }
}

/**
 * A libc with so fast a thread that Deno does not notice a poll of what is ready. `onPoll` gets how
 * long each poll takes, in microseconds.
 */
function fastLibc(onPoll: (us: number) => void): Libc {
  const libc = openLibc();
  const ppoll: Libc["symbols"]["ppoll"] = (entries, count, timeout, mask) => {
    onPoll(10);
    return libc.symbols.ppoll(entries, count, timeout, mask);
  };
  const ppollAsync: Libc["symbols"]["ppollAsync"] = (entries, count, timeout, mask) => {
    if (count > 1n) return Promise.resolve(ppoll(entries, count, timeout, mask));
    onPoll(REST_US);
    return libc.symbols.ppollAsync(entries, count, timeout, mask);
  };
  return { ...libc, symbols: { ...libc.symbols, ppoll, ppollAsync } };
}

/** Runs `body` with a clock of its own, which `pass` moves on; the host's may stop the program. */
async function withClock(body: (pass: (us: number) => void) => Promise<void>): Promise<void> {
  const original = performance.now;
  let clockUs = original.call(performance) * 1000;
  performance.now = () => clockUs / 1000;
  try {
    await body((us) => void (clockUs += us));
  } finally {
    performance.now = original;
  }
}

Deno.test({
  name: "LinuxPoller lets the program get on although a descriptor is always ready",
  ignore: NOT_LINUX,
  fn: () =>
    withClock(async (pass) => {
      const poller = openPoller(fastLibc(pass));
      const socket = openLocal();
      poller.watch([{ fd: socket.fd, writable: true }]);
      const start = performance.now();
      let took = 0;
      const talk = converse().then(() => took = performance.now() - start);
      while (took === 0 && performance.now() - start < 5000) {
        if (!poller.waitHere(0)) await poller.wait(0);
        assertEquals(poller.ready(0), true);
      }
      assertGreater(took, 0);
      assertLess(took, 500);
      await talk;
      socket.close();
      poller.close();
    }),
});

test("LinuxPoller.waitHere() leaves the waiting to wait() after wake() and letRun()", async (poller) => {
  await settle(poller);
  poller.wake();
  assertEquals(poller.waitHere(Infinity), false);
  await timed(() => poller.wait(Infinity));
  let isRefused = false;
  // A busy host may not get back here in time for that.
  for (let i = 0; i < 50 && !isRefused; i++) {
    await settle(poller);
    poller.letRun();
    isRefused = !poller.waitHere(Infinity);
  }
  assertEquals(isRefused, true);
});
