import { assertEquals, assertGreaterOrEqual, assertLess, assertRejects } from "@std/assert";
import { TransmitBatch } from "../../../src/batch.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { type LinuxPoller, openPoller } from "../../../src/platform/linux/poller.ts";
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
