import { assertEquals, assertGreater, assertIsError, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../../../src/batch.ts";
import { AbsentError, AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { type LinuxSocket, openSocket } from "../../../src/platform/linux/socket.ts";
import type { SocketOptions } from "../../../src/platform/platform.ts";
import { Remote, REMOTE_BYTES, remoteOf } from "../../../src/remote.ts";
import { SLOT_BYTES } from "../../../src/slab.ts";
import { address } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest, NOT_LINUX } from "./requirements.ts";

const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;
const FAMILIES = [4, 6] as const;

function open(options: Partial<SocketOptions> = {}): LinuxSocket {
  return openSocket(openLibc(), { name: "test", family: 4, ...options });
}

/** Opens a socket on the loopback address. */
function openLocal(family: 4 | 6): LinuxSocket {
  return open({ family, address: address(LOOPBACK[family]) });
}

function remoteAt(host: string, port: number): Remote {
  return remoteOf(address(host).bytes, port);
}

function portOf(socket: LinuxSocket): number {
  return Number(socket.localAddress.split(":").at(-1));
}

/** A batch with one datagram for each length; every byte is the datagram's number. */
function batchOf(lengths: readonly number[], remote: Remote): TransmitBatch {
  const batch = new TransmitBatch();
  for (const [i, length] of lengths.entries()) {
    batch.slab.bytes.fill(i, batch.slab.at(i), batch.slab.at(i) + length);
    batch.lengths[i] = length;
    batch.remotes[i] = remote;
  }
  batch.count = lengths.length;
  return batch;
}

/** What all sockets receive into, as they do in the driver. */
const batch = new ReceiveBatch();

/** Receives one batch, as what the core sees of it. */
function receive(socket: LinuxSocket): { payload: Uint8Array; remote: Remote }[] {
  const count = socket.receive(batch);
  assertEquals(batch.count, count);
  return Array.from({ length: count }, (_, i) => ({
    payload: batch.slab.bytes.slice(batch.slab.at(i), batch.slab.at(i) + batch.lengths[i]!),
    remote: new Remote(batch.remotes, i * REMOTE_BYTES),
  }));
}

/** Sends until something arrives: the kernel routes a new IPv6 address a moment after it is added. */
function receiveUntil(
  socket: LinuxSocket,
  send: () => void,
): { payload: Uint8Array; remote: Remote }[] {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 400; tries++) {
    send();
    const some = receive(socket);
    if (some.length > 0) return some;
    Atomics.wait(nap, 0, 0, 5);
  }
  throw new Error("Nothing arrived");
}

function receiveAll(socket: LinuxSocket): { payload: Uint8Array; remote: Remote }[] {
  const all = [];
  for (let some; (some = receive(socket)).length > 0;) all.push(...some);
  return all;
}

for (const family of FAMILIES) {
  Deno.test({
    name: `LinuxSocket carries batches of 0, 1 and 64 datagrams over IPv${family}`,
    ignore: NOT_LINUX,
    fn(): void {
      const [a, b] = [openLocal(family), openLocal(family)];
      for (const count of [0, 1, BATCH_DATAGRAMS]) {
        const lengths = Array.from({ length: count }, (_, i) => 1 + i * 20);
        const sent = a.send(batchOf(lengths, remoteAt(LOOPBACK[family], portOf(b))), 0);
        assertEquals([sent, a.failure], [count, undefined]);
        const received = receiveAll(b);
        assertEquals(received.map(({ payload }) => payload.length), lengths);
        assertEquals(received.every(({ payload }, i) => payload.every((byte) => byte === i)), true);
        assertEquals(
          received.map(({ remote }) => `${remote}`),
          lengths.map(() => a.localAddress),
        );
      }
      assertEquals(receive(b).length, 0);
      a.close();
      b.close();
    },
  });

  Deno.test({
    ...networkTest(
      `LinuxSocket bound to the IPv${family} wildcard answers from the address it was asked at`,
    ),
    fn: () =>
      inNewNetwork(() => {
        const other = family === 4 ? "127.0.0.2" : "2001:db8::2";
        ip("link set lo up");
        if (family === 6) ip(`-6 address add ${other}/128 dev lo nodad`);
        const server = open({ family, address: address(family === 4 ? "0.0.0.0" : "::") });
        const client = openLocal(family);
        const [asked] = receiveUntil(server, () => {
          client.send(batchOf([1], remoteAt(other, portOf(server))), 0);
        });
        assertEquals(
          asked!.remote.bytes.subarray(20, 36),
          remoteAt(other, 0).bytes.subarray(4, 20),
        );
        server.send(batchOf([2], asked!.remote), 0);
        const [answer] = receiveAll(client);
        assertEquals(`${answer!.remote}`, `${remoteAt(other, portOf(server))}`);
        server.close();
        client.close();
      }),
  });

  Deno.test({
    ...networkTest(
      `LinuxSocket fails with "message-size" beyond the interface's MTU over IPv${family}`,
    ),
    fn: () =>
      inNewNetwork(() => {
        ip("link set lo up mtu 1400");
        const [a, b] = [openLocal(family), openLocal(family)];
        const largest = 1400 - (family === 4 ? 28 : 48);
        const batch = batchOf(
          [10, largest, largest + 1, 20],
          remoteAt(LOOPBACK[family], portOf(b)),
        );
        assertEquals([a.send(batch, 0), a.failure], [2, "message-size"]);
        assertEquals([a.send(batch, 3), a.failure], [1, undefined]);
        assertEquals(receive(b).map(({ payload }) => payload.length), [10, largest, 20]);
        a.close();
        b.close();
      }),
  });
}

Deno.test({
  name: "LinuxSocket.send() sends from the datagram it is told to",
  ignore: NOT_LINUX,
  fn(): void {
    const [a, b] = [openLocal(4), openLocal(4)];
    const batch = batchOf([1, 2, 3, 4], remoteAt("127.0.0.1", portOf(b)));
    assertEquals(a.send(batch, 3), 1);
    assertEquals(a.send(batch, 1), 3);
    assertEquals(receive(b).map(({ payload }) => payload.length), [4, 2, 3, 4]);
    a.close();
    b.close();
  },
});

Deno.test({
  name: "LinuxSocket.receive() takes no more than a batch and keeps the rest for the next",
  ignore: NOT_LINUX,
  fn(): void {
    const [a, b] = [openLocal(4), openLocal(4)];
    const batch = batchOf(new Array(40).fill(8), remoteAt("127.0.0.1", portOf(b)));
    a.send(batch, 0);
    a.send(batch, 0);
    assertEquals([receive(b).length, receive(b).length, receive(b).length], [64, 16, 0]);
    a.close();
    b.close();
  },
});

Deno.test({
  name: "LinuxSocket.receive() gives length 0 to a datagram longer than a slot",
  ignore: NOT_LINUX,
  fn(): void {
    const [a, b] = [openLocal(4), openLocal(4)];
    const long = batchOf([SLOT_BYTES, 7], remoteAt("127.0.0.1", portOf(b)));
    // Two slots as one datagram: what a stranger could send.
    long.lengths[0] = SLOT_BYTES + 1;
    assertEquals(a.send(long, 0), 2);
    assertEquals(receive(b).map(({ payload }) => payload.length), [0, 7]);
    a.close();
    b.close();
  },
});

Deno.test({
  name: "LinuxSocket.receive() tells senders apart in whatever order they come",
  ignore: NOT_LINUX,
  fn(): void {
    const senders = { 4: [openLocal(4), openLocal(4), openLocal(4)], 6: [openLocal(6)] };
    const receivers = { 4: openLocal(4), 6: openLocal(6) };
    const order = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: BATCH_DATAGRAMS });
    fc.assert(
      fc.property(fc.array(order, { maxLength: 4 }), (rounds) => {
        for (const round of rounds) {
          for (const family of FAMILIES) {
            const mine = round.map((n) => senders[family][n]).filter((sender) =>
              sender !== undefined
            );
            const to = remoteAt(LOOPBACK[family], portOf(receivers[family]));
            for (const sender of mine) sender.send(batchOf([3], to), 0);
            const from = receiveAll(receivers[family]).map(({ remote }) => `${remote}`);
            assertEquals(from, mine.map((sender) => sender.localAddress));
          }
        }
      }),
      { numRuns: 50 },
    );
    for (const socket of [...senders[4], ...senders[6], receivers[4], receivers[6]]) socket.close();
  },
});

Deno.test({
  name: "LinuxSocket.send() follows a remote that changes in the same slot",
  ignore: NOT_LINUX,
  fn(): void {
    const [a, b, c] = [openLocal(4), openLocal(4), openLocal(4)];
    const batch = batchOf([5], remoteAt("127.0.0.1", portOf(b)));
    a.send(batch, 0);
    batch.remotes[0] = remoteAt("127.0.0.1", portOf(c));
    a.send(batch, 0);
    assertEquals([receive(b).length, receive(c).length], [1, 1]);
    for (const socket of [a, b, c]) socket.close();
  },
});

Deno.test({
  name: "LinuxSocket outlives a closed port at the other end",
  ignore: NOT_LINUX,
  fn(): void {
    const [a, b] = [openLocal(4), openLocal(4)];
    const batch = batchOf([1, 2], remoteAt("127.0.0.1", portOf(b)));
    b.close();
    assertEquals([a.send(batch, 0), a.send(batch, 0), a.failure], [2, 2, undefined]);
    assertEquals(receive(a), []);
    a.close();
  },
});

Deno.test({
  ...networkTest(
    `LinuxSocket fails with "unreachable" without a route or with a source it has lost`,
  ),
  fn: () =>
    inNewNetwork(() => {
      const socket = open();
      const batch = batchOf([1, 2], remoteAt("192.0.2.9", 9));
      assertEquals([socket.send(batch, 0), socket.failure], [0, "unreachable"]);
      ip("link set lo up");
      const record = remoteAt("127.0.0.1", 9).bytes.slice();
      record.set([192, 0, 2, 1], 20);
      const lost = batchOf([1], new Remote(record));
      assertEquals([socket.send(lost, 0), socket.failure], [0, "unreachable"]);
      socket.close();
    }),
});

Deno.test({
  ...networkTest(`LinuxSocket fails with "again" when the send buffer is full`, "tc"),
  fn: () =>
    inNewNetwork(() => {
      // A shaper holds what is sent, and with it the buffer space.
      ip("link add v0 type veth peer name v1");
      ip("address add 192.0.2.1/24 dev v0");
      ip("link set v0 up");
      ip("link set v1 up");
      ip("neigh add 192.0.2.2 lladdr 02:00:00:00:00:01 dev v0");
      tc("qdisc add dev v0 root tbf rate 8kbit burst 1600 limit 100000000");
      const socket = open();
      const batch = batchOf(new Array(BATCH_DATAGRAMS).fill(1400), remoteAt("192.0.2.2", 9));
      let sent = 0;
      for (let i = 0; i < 100 && socket.failure === undefined; i++) sent += socket.send(batch, 0);
      assertEquals(socket.failure, "again");
      assertGreater(sent, BATCH_DATAGRAMS);
      socket.close();
    }),
});

Deno.test({
  ...networkTest("LinuxSocket.receiveDrops counts what did not fit the receive buffer"),
  fn(): void {
    const [a, b] = [openLocal(4), openLocal(4)];
    // Each datagram is a message: the kernel counts a message with several as one.
    const lengths = Array.from({ length: BATCH_DATAGRAMS }, (_, i) => 1337 + i);
    const batch = batchOf(lengths, remoteAt("127.0.0.1", portOf(b)));
    const batches = 200;
    for (let i = 0; i < batches; i++) a.send(batch, 0);
    let received = 0;
    for (let count; (count = receive(b).length) > 0;) received += count;
    // The counter travels with the datagrams that come after the loss.
    a.send(batchOf([1], batch.remotes[0]!), 0);
    assertEquals(receive(b).length, 1);
    assertEquals(received + b.receiveDrops, batches * BATCH_DATAGRAMS);
    // 8 MiB, doubled by the kernel for its overhead, hold a full second at 40 Mbit/s.
    assertGreater(received, 4000);
    a.close();
    b.close();
  },
});

Deno.test({
  ...networkTest("openSocket() binds to an interface and sets a mark that policy rules see"),
  fn: () =>
    inNewNetwork(() => {
      ip("link set lo up");
      ip("rule add fwmark 0x66 blackhole pref 10");
      const receiver = openLocal(4);
      const batch = batchOf([1], remoteAt("127.0.0.1", portOf(receiver)));
      const plain = open({ interface: "lo" });
      assertEquals([plain.send(batch, 0), plain.failure], [1, undefined]);
      // The local table comes first; a destination outside it is subject to the rule.
      const marked = open({ mark: 0x66 });
      ip("route add 192.0.2.0/24 dev lo");
      const outside = batchOf([1], remoteAt("192.0.2.9", 9));
      assertEquals([plain.send(outside, 0), plain.failure], [1, undefined]);
      assertEquals([marked.send(outside, 0), marked.failure], [0, "unreachable"]);
      for (const socket of [plain, marked, receiver]) socket.close();
    }),
});

Deno.test({
  name: "openSocket() throws errors that say what to do",
  ignore: NOT_LINUX,
  fn(): void {
    const taken = open({ address: address("127.0.0.1") });
    const cases: readonly [Partial<SocketOptions>, string, RegExp][] = [
      [
        { address: address("127.0.0.1"), port: portOf(taken) },
        "EADDRINUSE",
        /another program|ss -ulpn/i,
      ],
      [{ address: address("192.0.2.77") }, "EADDRNOTAVAIL", /ip address/],
      [{ interface: "nosuchif0" }, "ENODEV", /Did you mean|Name one of|no interface/],
      [{ interface: "a-name-longer-than-15" }, "EINVAL", /Did you mean|Name one of|no interface/],
    ];
    for (const [options, cause, hint] of cases) {
      const error = assertThrows(() => open(options), AggvpnError);
      assertIsError(error.cause, Error, cause);
      assertEquals(hint.test(error.hint ?? ""), true, `${error.hint}`);
      const mayAppear = ["EADDRNOTAVAIL", "ENODEV"].includes(cause);
      assertEquals(error instanceof AbsentError, mayAppear, cause);
    }
    assertThrows(
      () => open({ address: address("fe80::1%nosuchif0") }),
      AbsentError,
      "Cannot find interface",
    );
    taken.close();
  },
});

Deno.test({
  name: "LinuxSocket.close() frees the port, and twice is once",
  ignore: NOT_LINUX,
  fn(): void {
    const first = open({ address: address("127.0.0.1") });
    const port = portOf(first);
    first.close();
    first.close();
    const second = open({ address: address("127.0.0.1"), port });
    assertEquals(second.localAddress, `127.0.0.1:${port}`);
    second.close();
  },
});

function tc(command: string): void {
  const { success, stderr } = new Deno.Command("tc", { args: command.split(" ") }).outputSync();
  if (!success) throw new Error(`tc ${command}: ${new TextDecoder().decode(stderr)}`);
}
