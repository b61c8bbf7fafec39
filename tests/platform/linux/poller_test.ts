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
} from "../../../src/platform/linux/poller.ts";
import { type LinuxSocket, openSocket } from "../../../src/platform/linux/socket.ts";
import { remoteOf } from "../../../src/remote.ts";
import { NOT_LINUX } from "./requirements.ts";

/** Generous: the machine may be busy with something else. */
const SLACK_MS = 500;

async function timed(wait: Promise<void>): Promise<number> {
  const start = performance.now();
  await wait;
  return performance.now() - start;
}

function openLocal(): LinuxSocket {
  return openSocket(openLibc(), { name: "test", family: 4, address: "127.0.0.1" });
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
    const ms = await timed(poller.wait(us));
    assertGreaterOrEqual(ms, us / 1000);
    assertLess(ms, us / 1000 + SLACK_MS);
  }
});

test("LinuxPoller.wait() of 0 or less lets timers run and ends at once", async (poller) => {
  let ran = false;
  setTimeout(() => ran = true, 0);
  const start = performance.now();
  while (!ran && performance.now() - start < SLACK_MS) await poller.wait(-5);
  assertEquals(ran, true);
});

test("LinuxPoller.wait() ends when a watched descriptor becomes readable", async (poller) => {
  const sockets = [openLocal(), openLocal()];
  poller.watch(sockets.map(({ fd }) => ({ fd, writable: false })));
  setTimeout(() => sendTo(sockets[1]!), 5);
  assertLess(await timed(poller.wait(Infinity)), SLACK_MS);
  assertEquals([poller.ready(0), poller.ready(1), poller.ready(2)], [false, true, false]);
  await poller.wait(0);
  assertEquals(poller.ready(1), true);
  for (const socket of sockets) socket.close();
});

test("LinuxPoller.ready() counts a writable descriptor when it was asked to", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }, { fd: socket.fd, writable: true }]);
  await poller.wait(Infinity);
  assertEquals([poller.ready(0), poller.ready(1)], [false, true]);
  socket.close();
});

test("LinuxPoller.ready() reports a closed descriptor, for a read to fail on", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }]);
  socket.close();
  await poller.wait(Infinity);
  assertEquals(poller.ready(0), true);
});

test("LinuxPoller.wake() ends the wait under way or the next, and only one", async (poller) => {
  setTimeout(() => poller.wake(), 5);
  assertLess(await timed(poller.wait(Infinity)), SLACK_MS);
  poller.wake();
  poller.wake();
  assertLess(await timed(poller.wait(Infinity)), SLACK_MS);
  assertGreaterOrEqual(await timed(poller.wait(3000)), 3);
});

test("LinuxPoller.watch() during a wait is for the next one", async (poller) => {
  const socket = openLocal();
  const waiting = poller.wait(20_000);
  poller.watch([{ fd: socket.fd, writable: true }]);
  assertGreaterOrEqual(await timed(waiting), 15);
  assertEquals(poller.ready(0), false);
  await poller.wait(Infinity);
  assertEquals(poller.ready(0), true);
  socket.close();
});

test("LinuxPoller.wait() refuses a second wait at the same time", async (poller) => {
  const first = poller.wait(1000);
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
  await first;
});

test("LinuxPoller.close() ends the wait under way", async (poller) => {
  const waiting = poller.wait(Infinity);
  poller.close();
  poller.close();
  assertLess(await timed(waiting), SLACK_MS);
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
});

test("LinuxPoller.wait() takes an absurd timeout", async (poller) => {
  setTimeout(() => poller.wake(), 5);
  assertLess(await timed(poller.wait(1e300)), SLACK_MS);
});

/** Lets the rest of the program run until it has nothing to do. */
async function settle(poller: LinuxPoller): Promise<void> {
  while (!poller.waitHere(0)) await poller.wait(0);
}

test("LinuxPoller.waitHere() waits for the timeout or a descriptor", async (poller) => {
  const socket = openLocal();
  poller.watch([{ fd: socket.fd, writable: false }]);
  await settle(poller);
  const start = performance.now();
  assertEquals(poller.waitHere(3000), true);
  assertGreaterOrEqual(performance.now() - start, 3);
  assertEquals(poller.ready(0), false);
  sendTo(socket);
  assertEquals(poller.waitHere(Infinity), true);
  assertEquals(poller.ready(0), true);
  socket.close();
});

test("LinuxPoller.waitHere() lets a signal in", async (poller) => {
  let heard = 0;
  const listener = (): void => void heard++;
  Deno.addSignalListener("SIGUSR2", listener);
  await settle(poller);
  const start = performance.now();
  Deno.kill(Deno.pid, "SIGUSR2");
  assertEquals(poller.waitHere(1e9), false);
  while (heard === 0) await poller.wait(0);
  assertLess(performance.now() - start, SLACK_MS);
  Deno.removeSignalListener("SIGUSR2", listener);
});

test("LinuxPoller.waitHere() holds a timer up for a while at most", async (poller) => {
  await settle(poller);
  let ran = false;
  const start = performance.now();
  setTimeout(() => ran = true, 0);
  while (!ran) if (!poller.waitHere(Infinity)) await poller.wait(0);
  assertLess(performance.now() - start, MAX_ALONE_US / 1000 + SLACK_MS);
});

/** How long it keeps everything else out, in microseconds, so many times in a row. */
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
  for (const begin of ["letRun", "wake"] as const) {
    poller[begin]();
    await settle(poller);
    const times = await timesAlone(poller, 7);
    const most = Array.from(times, (_, i) => Math.min(LEAST_ALONE_US << i, MAX_ALONE_US));
    // A stall of this machine makes some longer, but not most of them.
    assertGreater(times.filter((us, i) => us < most[i]! + LEAST_ALONE_US).length, 4, `${times}`);
    assertGreater(times.at(-1)!, MAX_ALONE_US * 0.9);
  }
});

/** Bytes to oneself and back, four times: steps of which each needs the one before. */
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

/** A libc with a thread so fast that Deno does not notice a poll of what is ready. */
function fastLibc(): Libc {
  const libc = openLibc();
  const ppollAsync: Libc["symbols"]["ppollAsync"] = (entries, count, timeout, mask) =>
    count > 1n
      ? Promise.resolve(libc.symbols.ppoll(entries, count, timeout, mask))
      : libc.symbols.ppollAsync(entries, count, timeout, mask);
  return { ...libc, symbols: { ...libc.symbols, ppollAsync } };
}

Deno.test({
  name: "LinuxPoller lets the program get on although a descriptor is always ready",
  ignore: NOT_LINUX,
  async fn(): Promise<void> {
    const poller = openPoller(fastLibc());
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
    assertLess(took, SLACK_MS);
    await talk;
    socket.close();
    poller.close();
  },
});

test("LinuxPoller.waitHere() leaves the waiting to wait() after wake() and letRun()", async (poller) => {
  await settle(poller);
  poller.wake();
  assertEquals(poller.waitHere(Infinity), false);
  await poller.wait(Infinity);
  await settle(poller);
  poller.letRun();
  assertEquals(poller.waitHere(Infinity), false);
});
