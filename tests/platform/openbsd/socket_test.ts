import { assertEquals, assertIsError, assertStringIncludes, assertThrows } from "@std/assert";
import { BATCH_DATAGRAMS, ReceiveBatch } from "../../../src/batch.ts";
import { AbsentError, AggvpnError } from "../../../src/errors.ts";
import { type OpenbsdSocket, openSocket } from "../../../src/platform/openbsd/socket.ts";
import type { SocketOptions } from "../../../src/platform/platform.ts";
import { Remote } from "../../../src/remote.ts";
import { SLOT_BYTES } from "../../../src/slab.ts";
import { address } from "../../addresses.ts";
import { NUMBERS } from "./abi.ts";
import { batchOf, receive, remoteAt } from "./batches.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { gateway, goldenTest, publicHost } from "./golden.ts";

const FAMILIES = [4, 6] as const;
const SERVER = { 4: "192.0.2.2", 6: "2001:db8::2" } as const;
const WILDCARD = { 4: address("0.0.0.0"), 6: address("::") };

function open(libc: FakeLibc, options: Partial<SocketOptions> = {}): OpenbsdSocket {
  return openSocket(libc, { name: "test", family: 4, ...options });
}

function portOf(socket: OpenbsdSocket): number {
  return Number(socket.localAddress.split(":").at(-1));
}

/** Two hosts, each with one socket. */
function makePair(
  options: FakeOptions = {},
): { world: FakeWorld; near: FakeHost; a: OpenbsdSocket; b: OpenbsdSocket } {
  const world = new FakeWorld();
  const [near, far] = [gateway(world), publicHost(world)];
  const a = open(new FakeLibc(near, options), { rdomain: 1 });
  const b = open(new FakeLibc(far, options), { address: address("192.0.2.1"), port: 5080 });
  return { world, near, a, b };
}

for (const family of FAMILIES) {
  goldenTest(
    `data_ipv${family}`,
    `OpenbsdSocket carries data over IPv${family}, and answers from the address it was asked at`,
    (record, make) => {
      const world = new FakeWorld();
      const client = make(gateway(world));
      const server = make(publicHost(world));
      const near = open(client, { family, rdomain: 2 });
      record.step("client: a link in rdomain 2", client);
      const far = open(server, { address: WILDCARD[family], port: 5080, family });
      record.step("server: every address", server);
      near.send(batchOf(remoteAt(SERVER[family], 5080), [1, 2, 3], [4, 5, 6, 7]), 0);
      record.step("client sends two datagrams", client);
      const [asked] = receive(far);
      const source = asked!.remote.bytes.subarray(20, family === 4 ? 24 : 36);
      assertEquals(source, remoteAt(SERVER[family], 0).bytes.subarray(4, family === 4 ? 8 : 20));
      record.step("server receives", server);
      far.send(batchOf(asked!.remote, [8, 9]), 0);
      record.step("server answers", server);
      const [answer] = receive(near);
      assertEquals(`${answer!.remote}`, `${remoteAt(SERVER[family], 5080)}`);
      assertEquals([answer!.payload, receive(near)], [[8, 9], []]);
      record.step("client receives, then nothing waits", client);
      near.close();
      far.close();
      record.step("close", client, server);
    },
  );
}

goldenTest(
  "single_messages",
  "OpenbsdSocket does without recvmmsg and sendmmsg where they are missing",
  (record, make) => {
    const world = new FakeWorld();
    const client = make(gateway(world), { batches: false });
    const server = make(publicHost(world), { batches: false });
    const near = open(client, { rdomain: 1 });
    const far = open(server, { address: address("0.0.0.0"), port: 5080 });
    client.takeCalls();
    server.takeCalls();
    assertEquals(near.send(batchOf(remoteAt("192.0.2.1", 5080), [1], [2, 3]), 0), 2);
    record.step("send two datagrams", client);
    const received = receive(far);
    assertEquals(received.map(({ payload }) => payload), [[1], [2, 3]]);
    record.step("receive them", server);
    far.send(batchOf(received[0]!.remote, [4]), 0);
    record.step("answer", server);
    assertEquals(receive(near)[0]!.payload, [4]);
    record.step("receive the answer", client);
  },
);

goldenTest(
  "link_loss",
  "OpenbsdSocket tells why a link is lost, and a new socket takes over",
  (record, make) => {
    const world = new FakeWorld();
    const host = gateway(world);
    const far = open(make(publicHost(world)), { address: address("192.0.2.1"), port: 5080 });
    const libc = make(host);
    const first = open(libc, { rdomain: 1, address: address("198.51.100.10") });
    record.step("open", libc);
    const batch = batchOf(remoteAt("192.0.2.1", 5080), [1], [2]);
    const table = host.table(1);
    table.failure = "ENOBUFS";
    assertEquals([first.send(batch, 0), first.failure], [0, "nobufs"]);
    table.failure = "ENETDOWN";
    assertEquals([first.send(batch, 0), first.failure], [0, "unreachable"]);
    record.step("the queue of em0 is full, then em0 is down", libc);
    table.failure = undefined;
    table.addresses.splice(0);
    first.close();
    const missing = assertThrows(
      () => open(libc, { rdomain: 1, address: address("198.51.100.10") }),
      AggvpnError,
    );
    assertIsError(missing.cause, Error, "EADDRNOTAVAIL");
    record.step("close, open again: the address is gone", libc);
    host.address(1, "198.51.100.10");
    const second = open(libc, { rdomain: 1, address: address("198.51.100.10") });
    assertEquals([second.send(batch, 0), second.failure], [2, undefined]);
    assertEquals(receive(far).map(({ payload }) => payload), [[1], [2]]);
    record.step("the address is back", libc);
  },
);

Deno.test("OpenbsdSocket carries batches of 0, 1 and 64 datagrams, batched and singly", () => {
  for (const batches of [true, false]) {
    const { a, b } = makePair({ batches });
    for (const count of [0, 1, BATCH_DATAGRAMS]) {
      const payloads = Array.from({ length: count }, (_, i) => new Array(i + 1).fill(i));
      const sent = a.send(batchOf(remoteAt("192.0.2.1", 5080), ...payloads), 0);
      assertEquals([sent, a.failure], [count, undefined]);
      const received = receive(b);
      assertEquals(received.map(({ payload }) => payload), payloads);
      assertEquals(
        received.every(({ remote }) => `${remote}` === `198.51.100.10:${portOf(a)}`),
        true,
      );
    }
    assertEquals(receive(b), []);
  }
});

Deno.test("OpenbsdSocket.receive() takes no more than a batch and keeps the rest for the next", () => {
  for (const batches of [true, false]) {
    const { a, b } = makePair({ batches });
    const batch = batchOf(remoteAt("192.0.2.1", 5080), ...new Array(40).fill([8]));
    a.send(batch, 0);
    a.send(batch, 0);
    assertEquals([receive(b).length, receive(b).length, receive(b).length], [64, 16, 0]);
  }
});

Deno.test("OpenbsdSocket.receive() tells senders apart in whatever order they come", () => {
  const world = new FakeWorld();
  const libc = new FakeLibc(gateway(world));
  const b = open(new FakeLibc(publicHost(world)), { address: address("0.0.0.0"), port: 5080 });
  const senders = [
    open(libc, { rdomain: 1 }),
    open(libc, { rdomain: 2 }),
    open(libc, { rdomain: 1 }),
  ];
  const batch = new ReceiveBatch();
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 1, 1], [0, 2], [2]]) {
    for (const [i, sender] of order.entries()) {
      senders[sender]!.send(batchOf(remoteAt(`192.0.2.${1 + i % 2}`, 5080), [sender]), 0);
    }
    const got = receive(b, batch);
    assertEquals(got.map(({ payload }) => payload[0]), order);
    assertEquals(
      got.map(({ remote }) => Number(`${remote}`.split(":")[1])),
      order.map((sender) => portOf(senders[sender]!)),
    );
    assertEquals(got.map(({ remote }) => remote.bytes[23]), order.map((_, i) => 1 + i % 2));
  }
});

Deno.test("OpenbsdSocket.receive() gives length 0 to a datagram longer than a slot", () => {
  for (const batches of [true, false]) {
    const { a, b } = makePair({ batches });
    const long = batchOf(remoteAt("192.0.2.1", 5080), new Array(SLOT_BYTES).fill(7), [1]);
    // Two slots as one datagram: what a stranger could send.
    long.lengths[0] = SLOT_BYTES + 1;
    assertEquals(a.send(long, 0), 2);
    assertEquals(receive(b).map(({ payload }) => payload.length), [0, 1]);
  }
});

Deno.test("OpenbsdSocket.send() sends from the datagram it is told to, and follows a remote that changes", () => {
  const world = new FakeWorld();
  const a = open(new FakeLibc(gateway(world)), { rdomain: 1 });
  const libc = new FakeLibc(publicHost(world));
  const [b, c] = [5080, 5081].map((port) => open(libc, { address: address("192.0.2.1"), port }));
  const batch = batchOf(remoteAt("192.0.2.1", 5080), [1], [2], [3]);
  assertEquals([a.send(batch, 2), a.send(batch, 1)], [1, 2]);
  batch.remotes[0] = remoteAt("192.0.2.1", 5081);
  a.send(batch, 0);
  assertEquals(receive(b!).map(({ payload }) => payload[0]), [3, 2, 3, 2, 3]);
  assertEquals(receive(c!).map(({ payload }) => payload[0]), [1]);
});

Deno.test("OpenbsdSocket.send() stops at the datagram that fails, and says why", () => {
  for (const batches of [true, false]) {
    const { a, b } = makePair({ batches });
    const batch = batchOf(remoteAt("192.0.2.1", 5080), [1], [2], [3]);
    const lost = remoteAt("192.0.2.1", 5080).bytes.slice();
    lost.set([192, 0, 2, 77], 20);
    batch.remotes[1] = new Remote(lost);
    assertEquals([a.send(batch, 0), a.failure], [1, "unreachable"], "a source it does not have");
    assertEquals([a.send(batch, 2), a.failure], [1, undefined]);
    assertEquals(receive(b).map(({ payload }) => payload[0]), [1, 3]);
  }
});

Deno.test("OpenbsdSocket.send() translates every failure a link can meet", () => {
  const { near, a } = makePair();
  const table = near.table(1);
  const cases = {
    EAGAIN: "again",
    ENOBUFS: "nobufs",
    ENOMEM: "nobufs",
    EACCES: "denied",
    EPERM: "denied",
    ECONNREFUSED: "refused",
    ENETDOWN: "unreachable",
    ENETUNREACH: "unreachable",
    EHOSTUNREACH: "unreachable",
    EHOSTDOWN: "unreachable",
    EINVAL: "unreachable",
  };
  const batch = batchOf(remoteAt("192.0.2.1", 5080), [1]);
  for (const [errno, failure] of Object.entries(cases)) {
    table.failure = errno;
    assertEquals<unknown>([errno, a.send(batch, 0), a.failure], [errno, 0, failure]);
  }
  table.failure = undefined;
  table.hasRoute = false;
  assertEquals([a.send(batch, 0), a.failure], [0, "unreachable"]);
});

Deno.test(`OpenbsdSocket fails with "message-size" over IPv6 only: IPv4 is fragmented`, () => {
  const world = new FakeWorld();
  const libc = new FakeLibc(gateway(world));
  for (const [family, expected] of [[4, undefined], [6, "message-size"]] as const) {
    const socket = open(libc, { family, rdomain: 1 });
    socket.send(batchOf(remoteAt(SERVER[family], 5080), new Array(1600).fill(1)), 0);
    assertEquals(socket.failure, expected);
  }
});

Deno.test("OpenbsdSocket throws when its descriptor is no longer its own: that is a bug", () => {
  const { a } = makePair();
  const batch = batchOf(remoteAt("192.0.2.1", 5080), [1]);
  a.close();
  assertThrows(() => a.send(batch, 0), Error, "Bad file descriptor");
  assertThrows(() => receive(a), Error, "Bad file descriptor");
});

Deno.test("openSocket() tells the three ways apart in which a routing table cannot be had", () => {
  const host = gateway(new FakeWorld());
  const missing = assertThrows(() => open(new FakeLibc(host), { rdomain: 7 }), AbsentError);
  assertEquals(missing.message, "Cannot use rdomain 7, which does not exist: Invalid argument");
  assertStringIncludes(missing.hint!, `"ifconfig em0 rdomain 7"`);

  const started = new FakeLibc(host, { uid: 1000, rtable: 2 });
  const denied = assertThrows(() => open(started, { rdomain: 1 }), AggvpnError);
  assertEquals(
    denied.message,
    "Cannot use rdomain 1 from rdomain 2, which this process was started in: Operation not permitted",
  );
  assertStringIncludes(denied.hint!, `"route -T 2 exec"`);
  assertEquals(started.files.open, [], "nothing is left open");
  open(new FakeLibc(host, { uid: 0, rtable: 2 }), { rdomain: 1 }).close();
  // The kernel checks permission before it checks whether the table exists.
  const both = assertThrows(() => open(started, { rdomain: 7 }), AggvpnError);
  assertStringIncludes(both.message, "from rdomain 2, which this process was started in");

  const busy = new FakeLibc(host);
  const { setsockopt } = busy.symbols;
  Object.assign(busy.symbols, {
    setsockopt(...args: Parameters<typeof setsockopt>): number {
      busy.files.socket(args[0]).port = 1;
      return setsockopt(...args);
    },
  });
  const error = assertThrows(() => open(busy, { rdomain: 1 }), AggvpnError, "Device busy");
  assertStringIncludes(error.message, "has a port already");
});

Deno.test("openSocket() takes the table that the process has, whoever runs it and as often as asked", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()), { uid: 1000, rtable: 2 });
  open(libc, { rdomain: 2, address: address("203.0.113.20") }).close();
  const { setsockopt } = libc.symbols;
  const fd = libc.symbols.socket(NUMBERS.AF_INET, NUMBERS.SOCK_DGRAM, 0);
  libc.files.socket(fd).port = 1;
  const table = (value: number): number =>
    setsockopt(fd, NUMBERS.SOL_SOCKET, NUMBERS.SO_RTABLE, Uint32Array.of(value), 4);
  assertEquals([table(2), table(1)], [0, -1], "its own is no change, even with a port");
});

Deno.test("openSocket() throws errors of an address that say what to do", () => {
  const host = gateway(new FakeWorld());
  const libc = new FakeLibc(host, { uid: 1000 });
  const local = { address: address("198.51.100.10"), rdomain: 1 };
  open(libc, { ...local, port: 5080 });
  const cases: readonly [Partial<SocketOptions>, string, RegExp][] = [
    [{ ...local, port: 5080 }, "EADDRINUSE", /fstat -n \| grep :5080/],
    [{ ...local, rdomain: 2 }, "EADDRNOTAVAIL", /in rdomain 2 .*ifconfig/],
    [{ ...local, port: 53 }, "EACCES", /root/],
  ];
  for (const [options, cause, hint] of cases) {
    const error = assertThrows(
      () => open(libc, options),
      AggvpnError,
      "Cannot bind to 198.51.100.10",
    );
    assertIsError(error.cause, Error, cause);
    assertEquals(hint.test(error.hint!), true, error.hint);
    assertEquals(error instanceof AbsentError, cause === "EADDRNOTAVAIL", cause);
  }
  assertThrows(
    () => open(libc, { address: address("fe80::1%em7") }),
    AbsentError,
    "Cannot find interface",
  );
  // One address and port in each routing domain.
  host.address(2, "198.51.100.10");
  open(libc, { ...local, port: 5080, rdomain: 2 });
});

/** The buffer sizes asked for, and the answers. */
function buffersAsked(libc: FakeLibc): string[] {
  return libc.takeCalls().filter((call) => call.includes("BUF")).map((call) =>
    /(SO_\w+), (\d+) .*= (.*)$/.exec(call)!.slice(1).join(" ")
  );
}

Deno.test("openSocket() gets the largest receive buffer there is at once", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  const { fd } = open(libc);
  assertEquals(buffersAsked(libc), ["SO_RCVBUF 2097152 0"]);
  const more = Uint32Array.of((2 << 20) + 1);
  const { SOL_SOCKET, SO_RCVBUF } = NUMBERS;
  assertEquals(libc.symbols.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, more, 4), -1, "not a byte more");
  assertEquals(libc.files.socket(fd).receiveBuffer, 2 << 20);
});

Deno.test("openSocket() makes do with the default buffers while memory for mbufs is low", () => {
  for (const family of FAMILIES) {
    const world = new FakeWorld();
    const host = gateway(world);
    const libc = new FakeLibc(host);
    const far = open(new FakeLibc(publicHost(world)), {
      family,
      address: WILDCARD[family],
      port: 5080,
    });
    host.memoryIsLow = true;
    const near = open(libc, { family, rdomain: 1 });
    const asked = buffersAsked(libc);
    assertEquals(asked.length, 6, "from 2 MiB down to 64 KiB");
    assertEquals(asked.every((answer) => answer.endsWith("-1 ENOBUFS")), true);
    const { receiveBuffer, sendBuffer } = libc.files.socket(near.fd);
    assertEquals([receiveBuffer, sendBuffer], [41600, 9216]);
    // The longest datagrams that an interface carries, with a source chosen at the other end.
    const long = new Array(1452).fill(7);
    assertEquals(near.send(batchOf(remoteAt(SERVER[family], 5080), long, long), 0), 2);
    const [asker] = receive(far);
    assertEquals(far.send(batchOf(asker!.remote, long), 0), 1);
    assertEquals(receive(near).map(({ payload }) => payload), [long]);
    near.close();
    host.memoryIsLow = false;
    open(libc, { family, rdomain: 1 });
    assertEquals(buffersAsked(libc), ["SO_RCVBUF 2097152 0"]);
  }
});

Deno.test("openSocket() asks for smaller buffers until the kernel takes one", () => {
  const host = gateway(new FakeWorld());
  const libc = new FakeLibc(host, { maxBuffer: 256 << 10 });
  open(libc);
  assertEquals(buffersAsked(libc), [
    "SO_RCVBUF 2097152 -1 ENOBUFS",
    "SO_RCVBUF 1048576 -1 ENOBUFS",
    "SO_RCVBUF 524288 -1 ENOBUFS",
    "SO_RCVBUF 262144 0",
  ]);
});

Deno.test("openSocket() binds a link-local address with the number of its interface", () => {
  const host = new FakeWorld().host().address(0, "fe80::1");
  const libc = new FakeLibc(host);
  open(libc, { family: 6, address: address("fe80::1%em1"), port: 5080 });
  const bind = libc.calls.find((call) => call.startsWith("bind"))!;
  assertStringIncludes(bind, "02000000}, 28) = 0");
});
