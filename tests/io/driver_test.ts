import { assert, assertEquals } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { TURN_US } from "../../src/io/driver.ts";
import { MemoryWatch } from "../../src/platform/memory/watch.ts";
import type { LinkWay } from "../../src/platform/platform.ts";
import { FakeSocket, makeDriver, slotWith } from "./fakes.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 251);

Deno.test("Driver.run() moves packets, datagrams and events, then says goodbye", async () => {
  const { world, tun, sockets, pool, core, events, driver } = makeDriver();
  world.at(100, () => tun.incoming.push(1, 2));
  world.at(200, () => sockets[1]!.incoming.push(3));
  world.at(300, () => {
    core.deliver.push(slotWith(pool, 4));
    core.events.push({ type: "session", peer: "home", state: "up" });
    core.outgoing[0]!.push(5);
    sockets[0]!.incoming.push(6);
  });
  world.at(400, () => {
    core.outgoing[1]!.push(7); // what close() still has to send
    driver.stop();
  });
  await driver.run();
  assertEquals(core.packets, [1, 2]);
  assertEquals(core.datagrams, [{ socket: 1, value: 3 }, { socket: 0, value: 6 }]);
  assertEquals(tun.written, [4]);
  assertEquals(events.map((event) => event.type), ["session"]);
  assertEquals(sockets.map((socket) => socket.sent), [[5], [7]]);
  assertEquals(pool.available, 256);
  assert(core.closedAt! >= 400);
});

Deno.test("Driver.run() calls handleTimeout() when it is due and sleeps until then", async () => {
  const { world, core, poller, driver } = makeDriver();
  core.timeoutAtUs = 5000;
  world.at(9000, () => driver.stop());
  await driver.run();
  assertEquals(core.timeouts.length, 1);
  assert(core.timeouts[0]! >= 5000 && core.timeouts[0]! < 5020);
  assertEquals(poller.waits.length, 2);
});

Deno.test("Driver hands in what has arrived before it acts on a deadline", async () => {
  const { world, sockets, core, poller, driver } = makeDriver();
  const order: string[] = [];
  core.timeoutAtUs = 1000;
  core.handleTimeout = (): void => {
    order.push("timeout");
    core.timeoutAtUs = Infinity;
    driver.stop();
  };
  core.handleDatagrams = (): void => void order.push("datagram");
  poller.ready = (): boolean => false; // it arrives after the poll
  world.at(1000, () => sockets[1]!.incoming.push(1));
  await driver.run();
  assertEquals(order, ["datagram", "timeout"]);
});

Deno.test("Driver.stop() ends run() while it waits forever", async () => {
  const { driver, core } = makeDriver();
  const running = driver.run();
  driver.stop();
  await running;
  assert(core.closedAt !== undefined);
});

Deno.test("Driver keeps what a full socket buffer refused and sends it on POLLOUT", async () => {
  const { world, sockets, core, poller, driver } = makeDriver();
  sockets[0]!.refusals = [undefined, "again"];
  core.outgoing[0]!.push(1, 2, 3);
  core.outgoing[1]!.push(9);
  world.at(50, () => {
    assertEquals(sockets.map((socket) => socket.sent), [[1], [9]]);
    assertEquals(poller.watched.map((entry) => entry.writable), [true, false, false]);
    core.outgoing[0]!.push(4);
  });
  world.at(70, () => sockets[0]!.writable = true);
  world.at(500, () => driver.stop());
  await driver.run();
  assertEquals(sockets[0]!.sent, [1, 2, 3, 4]);
  assertEquals(poller.watched[0]!.writable, false);
  assertEquals(core.failures, []);
});

Deno.test("Driver sends again 1 ms after ENOBUFS", async () => {
  const { world, sockets, core, driver } = makeDriver();
  sockets[0]!.refusals = ["nobufs"];
  core.outgoing[0]!.push(1);
  world.at(900, () => assertEquals(sockets[0]!.sent, []));
  world.at(1200, () => driver.stop());
  await driver.run();
  assertEquals(sockets[0]!.sent, [1]);
});

Deno.test("Driver drops a datagram the kernel will not send and tells the core its path", async () => {
  const { world, sockets, core, driver } = makeDriver();
  sockets[1]!.refusals = ["message-size", undefined, "unreachable", "refused", "denied"];
  core.outgoing[1]!.push(1, 2, 3, 4, 5, 6);
  world.at(100, () => driver.stop());
  await driver.run();
  assertEquals(sockets[1]!.sent, [2, 6]);
  assertEquals(
    core.failures,
    (["message-size", "unreachable", "refused", "denied"] as const)
      .map((failure) => ({ socket: 1, path: 11, failure })),
  );
});

Deno.test("Driver goes on sending on one socket while another is blocked with a full batch", async () => {
  const { world, sockets, core, driver } = makeDriver();
  sockets[0]!.refusals = ["again"];
  core.outgoing[0]!.push(...range(100));
  core.outgoing[1]!.push(...range(300));
  world.at(2000, () => driver.stop());
  await driver.run();
  assertEquals(sockets[0]!.sent, []);
  assertEquals(sockets[1]!.sent, range(300));
});

Deno.test("Driver does not spin when a deadline is due but every socket is blocked", async () => {
  const { world, sockets, core, poller, driver } = makeDriver();
  sockets[0]!.refusals = ["again"];
  core.outgoing[0]!.push(1);
  core.pollTimeout = (): number => 0;
  world.at(100_000, () => driver.stop());
  await driver.run();
  assert(poller.waits.length < 250, `${poller.waits.length} waits in 100 ms`);
});

Deno.test("Driver leaves packets in the TUN while the core wants none", async () => {
  const { world, tun, core, poller, driver } = makeDriver();
  core.wanted = 0;
  tun.incoming = range(10);
  core.timeoutAtUs = 1000;
  world.at(500, () => {
    assertEquals(tun.reads, 0);
    assertEquals(poller.watched.map((entry) => entry.fd), [0, 1]);
  });
  world.at(900, () => core.wanted = 4);
  world.at(2000, () => driver.stop());
  await driver.run();
  assertEquals(core.packets.length, 10);
});

Deno.test("Driver leaves packets in the TUN while the pool is empty", async () => {
  const { world, tun, pool, core, driver } = makeDriver();
  const taken = Array.from({ length: 255 }, () => pool.alloc());
  tun.incoming = range(5);
  world.at(900, () => driver.stop());
  await driver.run();
  assertEquals(core.packets.length, 5);
  assertEquals(pool.available, 256 - taken.length);
});

Deno.test("Driver does not sleep on what the TUN holds back once the core wants it", async () => {
  const { world, tun, core, poller, driver } = makeDriver();
  core.wanted = 0;
  tun.held = range(10);
  core.timeoutAtUs = 1000;
  core.handleTimeout = (): void => {
    core.timeoutAtUs = Infinity;
    core.wanted = 4;
  };
  world.at(900, () => assertEquals([tun.reads, poller.waits.length], [0, 1]));
  world.at(1100, () => assertEquals(core.packets, range(10)));
  world.at(2000, () => driver.stop());
  await driver.run();
  assertEquals(core.packets, range(10));
});

Deno.test("Driver counts packets the TUN did not take, and releases them", async () => {
  const { world, tun, pool, core, driver } = makeDriver();
  tun.takes = 2;
  core.deliver = range(5).map((value) => slotWith(pool, value));
  world.at(100, () => driver.stop());
  await driver.run();
  assertEquals(tun.written, [0, 1]);
  assertEquals(driver.tunDrops, 3);
  assertEquals(pool.available, 256);
});

for (const [pauseUs, isDropped] of [[4_000_000, false], [6_000_000, true]] as const) {
  const what = isDropped ? "drops what waited for" : "delivers what waited for";
  Deno.test(`Driver ${what} ${pauseUs / 1e6} s while the process was stopped`, async () => {
    const { world, tun, sockets, pool, core, driver } = makeDriver();
    core.timeoutAtUs = 10_000;
    const handle = core.handleDatagrams.bind(core);
    core.handleDatagrams = (now, socket, batch): void => {
      handle(now, socket, batch);
      for (let i = 0; i < batch.count; i++) {
        core.deliver.push(slotWith(pool, batch.slab.bytes[batch.slab.at(i)]!));
      }
    };
    world.at(5000, () => {
      tun.incoming = range(100);
      sockets[1]!.incoming = [1, 2, 3];
      world.now += pauseUs;
    });
    world.at(pauseUs + 50_000, () => {
      tun.incoming = [7];
      sockets[0]!.incoming = [8];
    });
    world.at(pauseUs + 90_000, () => driver.stop());
    await driver.run();
    assertEquals(core.packets, isDropped ? [7] : [...range(100), 7]);
    assertEquals(tun.written, isDropped ? [8] : [1, 2, 3, 8]);
    // The core learns from the datagrams all the same.
    assertEquals(core.datagrams.map(({ value }) => value), [1, 2, 3, 8]);
    assertEquals([driver.staleDrops, pool.available], [isDropped ? 103 : 0, 256]);
  });
}

Deno.test("Driver that waits for long without a deadline drops nothing", async () => {
  const { world, tun, core, driver } = makeDriver();
  world.at(60_000_000, () => tun.incoming = [1]);
  world.at(60_001_000, () => driver.stop());
  await driver.run();
  assertEquals([core.packets, driver.staleDrops], [[1], 0]);
});

Deno.test("Driver yields after TURN_US although datagrams keep coming", async () => {
  const { world, sockets, core, poller, driver } = makeDriver();
  world.tickUs = 100;
  const flood = sockets[0]!;
  flood.receive = (batch): number => {
    if (world.now >= 50_000) driver.stop();
    return batch.count = 64;
  };
  core.handleDatagrams = (): void => {};
  flood.incoming = [1];
  await driver.run();
  assert(poller.waits.length >= 50_000 / (TURN_US + 200) - 2, `${poller.waits.length} waits`);
  assertEquals(new Set(poller.waits.slice(1)), new Set([0]));
});

Deno.test("Driver serves the second socket while the first is flooded", async () => {
  const { world, sockets, core, driver } = makeDriver();
  let flooded = 0;
  sockets[0]!.receive = (batch): number => {
    if (++flooded === 20) driver.stop();
    return batch.count = 64;
  };
  sockets[0]!.incoming = [1];
  world.tickUs = 50;
  world.at(0, () => sockets[1]!.incoming.push(7));
  await driver.run();
  assert(core.datagrams.some(({ socket, value }) => socket === 1 && value === 7));
});

Deno.test("Driver takes all that came at once on a socket before another uses the batch", async () => {
  const { world, sockets, core, driver } = makeDriver();
  sockets[0]!.joined = true;
  sockets[0]!.incoming.push(...range(150));
  sockets[1]!.incoming.push(1);
  world.at(1000, () => driver.stop());
  await driver.run();
  assertEquals(core.datagrams.map(({ socket }) => socket), [...new Array(150).fill(0), 1]);
  assertEquals(core.datagrams.slice(0, 150).map(({ value }) => value), range(150));
});

Deno.test("Driver.run() rejects when the TUN is gone, after a farewell", async () => {
  const { world, tun, core, driver } = makeDriver();
  world.at(100, () => tun.fail = new AggvpnError("interface gone"));
  let message = "";
  await driver.run().catch((error) => message = error.message);
  assertEquals(message, "interface gone");
  assert(core.closedAt !== undefined);
});

Deno.test("Driver gives a link a fresh socket when the core asks to rebind", async () => {
  const fresh = new FakeSocket(7);
  const { world, sockets, core, poller, events, driver } = makeDriver({
    reopen: (index) => index === 1 ? fresh : undefined,
  });
  world.at(50, () => {
    sockets[1]!.receiveDrops = 3;
    core.events.push({ type: "rebind", link: 1 });
    core.timeoutAtUs = 60;
  });
  world.at(200, () => {
    core.outgoing[1]!.push(5);
    core.timeoutAtUs = 210;
  });
  world.at(400, () => driver.stop());
  sockets.push(fresh);
  core.timeoutAtUs = 51;
  await driver.run();
  assert(sockets[1]!.closed);
  assertEquals(fresh.sent, [5]);
  assertEquals(poller.watched.map((entry) => entry.fd), [0, 7, 100]);
  assertEquals(driver.ports[1]!.receiveDrops, 3);
  assertEquals(events, [{ type: "rebind", link: 1 }]);
});

Deno.test("Driver.reopen() gives a link a fresh socket in the next turn", async () => {
  const fresh = new FakeSocket(7);
  const tries: number[] = [];
  const { world, sockets, driver } = makeDriver({
    reopen: (index) => {
      tries.push(index);
      return fresh;
    },
  });
  sockets.push(fresh);
  world.at(50, () => driver.reopen(1));
  world.at(5_000_000, () => driver.stop());
  await driver.run();
  assert(sockets[1]!.closed);
  assertEquals(tries, [1]);
});

Deno.test("Driver.setSocket() adds a socket, closeSocket() ends one, both between two waits", async () => {
  const fresh = new FakeSocket(7);
  const tries: number[] = [];
  const { world, sockets, core, poller, driver } = makeDriver({
    reopen: (index) => {
      tries.push(index);
      return undefined;
    },
  });
  world.at(50, () => {
    sockets.push(fresh);
    driver.setSocket(2, fresh);
    driver.closeSocket(0);
    core.outgoing.push([5]);
    core.timeoutAtUs = 60;
  });
  world.at(5_000_000, () => driver.stop());
  await driver.run();
  assertEquals(driver.ports.length, 3);
  assertEquals(fresh.sent, [5]);
  assert(sockets[0]!.closed && !sockets[1]!.closed);
  assertEquals(poller.watched.map((entry) => entry.fd), [1, 7, 100]);
  assertEquals(tries, [], "what is closed for good is not opened again");
});

Deno.test("Driver tries once a second to open a socket that is missing", async () => {
  const tries: number[] = [];
  const late = new FakeSocket(8);
  const made = makeDriver({
    sockets: [undefined, new FakeSocket(9)],
    reopen: () => {
      tries.push(made.world.now);
      return tries.length === 3 ? late : undefined;
    },
  });
  made.sockets.push(late, new FakeSocket(9));
  made.world.at(100, () => {
    made.core.outgoing[0]!.push(1);
    made.core.timeoutAtUs = 110;
  });
  made.world.at(5_000_000, () => made.driver.stop());
  await made.driver.run();
  assertEquals(tries.map((at) => Math.round(at / 1e6)), [1, 2, 3]);
  assertEquals(made.core.failures, [{ socket: 0, path: 10, failure: "unreachable" }]);
  assertEquals(made.driver.ports[0]!.socket, late);
});

Deno.test("Driver hears of every change of the network, also of those that come in a pause", async () => {
  let way: LinkWay = { obstacle: undefined, interface: 1, mtu: 1500 };
  const watch = new MemoryWatch(200, () => way);
  const { world, sockets, core, poller, driver } = makeDriver({ network: watch });
  const ready = poller.ready.bind(poller);
  poller.ready = (index): boolean =>
    poller.watched[index]!.fd === watch.fd ? watch.isReadable : ready(index);
  const change = (at: number, obstacle: string | undefined, index: number): void =>
    world.at(at, () => {
      way = { obstacle, interface: index, mtu: 1500 };
      watch.tell("interface", index);
    });
  change(100_000, "eth0 has no carrier", 1);
  change(101_000, "eth0 does not exist", 0);
  change(300_000, undefined, 2);
  world.at(400_000, () => driver.stop());
  await driver.run();
  const told = core.networkChanges.filter(({ link }) => link === 1);
  assertEquals(told.map(({ obstacle }) => obstacle), [
    "eth0 has no carrier",
    "eth0 does not exist",
    undefined,
  ]);
  assert(sockets.every((socket) => socket.closed), "they were bound to another interface");
  assert(poller.waits.length < 20, `${poller.waits}`);
});
