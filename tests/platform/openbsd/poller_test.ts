import {
  assert,
  assertEquals,
  assertIsError,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { type OpenbsdPoller, openPoller } from "../../../src/platform/openbsd/poller.ts";
import { openSocket } from "../../../src/platform/openbsd/socket.ts";
import { openTun } from "../../../src/platform/openbsd/tun.ts";
import { address } from "../../addresses.ts";
import { batchOf, IPV4_PACKET, remoteAt } from "./batches.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { goldenTest } from "./golden.ts";

function makePoller(): { world: FakeWorld; libc: FakeLibc; poller: OpenbsdPoller } {
  const world = new FakeWorld();
  const libc = new FakeLibc(world.host().address(0, "192.0.2.1"));
  return { world, libc, poller: openPoller(libc) };
}

/** Virtual microseconds that a wait takes. */
async function timed(world: FakeWorld, wait: Promise<void>): Promise<number> {
  const start = world.now;
  await wait;
  return world.now - start;
}

goldenTest(
  "poller",
  "OpenbsdPoller waits for descriptors, a deadline and a call",
  async (record, make) => {
    const world = new FakeWorld();
    const host = world.host().address(0, "192.0.2.1");
    const libc = make(host);
    const poller = openPoller(libc);
    const tun = openTun(libc, "tun0");
    const socket = openSocket(libc, { name: "a", family: 4, port: 5080 });
    record.step("open", libc);
    poller.watch([{ fd: socket.fd, writable: false }, { fd: tun.fd, writable: false }]);
    assertEquals(await timed(world, poller.wait(2_500)), 2500);
    assertEquals([poller.ready(0), poller.ready(1)], [false, false]);
    record.step("a deadline", libc);
    world.at(1_000_000, () => host.tuns.get("tun0")!.inject(IPV4_PACKET));
    await poller.wait(Infinity);
    assertEquals([poller.ready(0), poller.ready(1)], [false, true]);
    record.step("a packet", libc);
    poller.watch([{ fd: socket.fd, writable: true }]);
    await poller.wait(0);
    assertEquals(poller.ready(0), true);
    record.step("room to write", libc);
    poller.watch([]);
    const waiting = poller.wait(Infinity);
    poller.wake();
    await waiting;
    record.step("a call of wake()", libc);
    poller.close();
    record.step("close", libc);
  },
);

Deno.test("OpenbsdPoller.wait() ends when a datagram comes", async () => {
  const { world, libc, poller } = makePoller();
  const [a, b] = [5080, 5081].map((port) =>
    openSocket(libc, { name: "", family: 4, address: address("192.0.2.1"), port })
  );
  poller.watch([{ fd: b!.fd, writable: false }]);
  world.delayUs = 700;
  a!.send(batchOf(remoteAt("192.0.2.1", 5081), [1]), 0);
  assertEquals(await timed(world, poller.wait(5000)), 700);
  assertEquals(poller.ready(0), true);
});

Deno.test("OpenbsdPoller.wake() before wait() ends the next one, once", async () => {
  const { world, poller } = makePoller();
  poller.wake();
  poller.wake();
  assertEquals(await timed(world, poller.wait(Infinity)), 0);
  assertEquals(await timed(world, poller.wait(300)), 300);
});

Deno.test("OpenbsdPoller.ready() tells of a descriptor that has gone", async () => {
  const { libc, poller } = makePoller();
  const socket = openSocket(libc, { name: "", family: 4 });
  poller.watch([{ fd: socket.fd, writable: false }]);
  socket.close();
  await poller.wait(Infinity);
  assertEquals(poller.ready(0), true);
});

Deno.test("OpenbsdPoller refuses a second wait at the same time and one after close()", async () => {
  const { libc, poller } = makePoller();
  const first = poller.wait(1000);
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
  poller.close();
  await first;
  await assertRejects(() => poller.wait(0), Error, "waits or is closed");
  assertEquals(libc.files.open, []);
});

Deno.test("OpenbsdPoller.wait() takes an absurd timeout and a fraction of a microsecond", async () => {
  const { world, poller } = makePoller();
  assertEquals(await timed(world, poller.wait(0.2)), 1);
  assertEquals(await timed(world, poller.wait(-5)), 0);
  assertEquals(Math.round(await timed(world, poller.wait(1e300)) / 1e12), 100, "100 million s");
});

Deno.test("OpenbsdPoller.wait() polls from its own thread to learn why the other one failed", async () => {
  const { libc, poller } = makePoller();
  let failing = true;
  const ppoll = libc.symbols.ppoll;
  Object.assign(libc.symbols, {
    ppollAsync: () => Promise.resolve(failing ? -1 : 0),
    ppoll: (...args: Parameters<typeof ppoll>): number => ppoll(...args),
  });
  await poller.wait(0);
  Object.assign(libc.symbols, { ppoll: () => -1 });
  Object.assign(libc, { errno: () => 22 });
  await assertRejects(
    () => poller.wait(0),
    AggvpnError,
    "Cannot poll descriptors: Invalid argument",
  );
  failing = false;
  await poller.wait(0);
});

Deno.test("OpenbsdPoller.wait() names the limit that its list is longer than, and goes on with less", async () => {
  const { libc, poller } = makePoller();
  const { fd } = openSocket(libc, { name: "", family: 4 });
  const watch = (count: number): void =>
    poller.watch(Array.from({ length: count }, () => ({ fd, writable: true })));
  // The poller's own pipe is one of 128.
  watch(127);
  await poller.wait(Infinity);
  assert(poller.ready(126));
  watch(128);
  const error = await assertRejects(() => poller.wait(Infinity), AggvpnError);
  assertEquals(error.message, "Cannot poll descriptors: Invalid argument");
  assertStringIncludes(error.hint!, "openfiles-max");
  assertIsError(error.cause, Error, "EINVAL");
  watch(1);
  await poller.wait(Infinity);
  assert(poller.ready(0));
});

Deno.test("sockets, pipes and tun devices run out before a list is too long for ppoll(2)", async () => {
  const world = new FakeWorld();
  const libc = new FakeLibc(world.host().address(0, "192.0.2.1"), { openFiles: 16 });
  const poller = openPoller(libc);
  const watched: { fd: number; writable: boolean }[] = [];
  const missing = assertThrows(() => {
    for (;;) watched.push({ fd: openSocket(libc, { name: "", family: 4 }).fd, writable: true });
  }, AggvpnError);
  assertEquals(missing.message, "Cannot open an IPv4 socket: Too many open files");
  const others = [
    assertThrows(() => openPoller(libc), AggvpnError, "Cannot open a pipe: Too many open files"),
    assertThrows(() => openTun(libc, "tun0"), AggvpnError, `"/dev/tun0": Too many open files`),
  ];
  for (const { hint } of [missing, ...others]) assertStringIncludes(hint!, "openfiles-max");
  assertEquals(libc.host.tuns.size, 0);
  poller.watch(watched);
  await poller.wait(Infinity);
  assertEquals(watched.every((_, i) => poller.ready(i)), true);
});
