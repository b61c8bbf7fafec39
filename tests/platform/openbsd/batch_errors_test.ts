/**
 * Errors in the middle of a batch: sendmmsg(2) and recvmmsg(2) return how many datagrams came
 * before it, and the next call gets the error.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BATCH_DATAGRAMS } from "../../../src/batch.ts";
import { openPoller } from "../../../src/platform/openbsd/poller.ts";
import { type OpenbsdSocket, openSocket } from "../../../src/platform/openbsd/socket.ts";
import { address } from "../../addresses.ts";
import { batchOf, receive, remoteAt } from "./batches.ts";
import type { FakeSocket } from "./fake_files.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import { type FakeHost, FakeWorld } from "./fake_world.ts";
import { gateway, publicHost } from "./golden.ts";

interface Pair {
  readonly host: FakeHost;
  readonly client: FakeLibc;
  readonly server: FakeLibc;
  readonly near: OpenbsdSocket;
  readonly far: OpenbsdSocket;
  /** The kernel's side of `far`. */
  readonly inner: FakeSocket;
}

function makePair(options: FakeOptions = {}): Pair {
  const world = new FakeWorld();
  const host = gateway(world);
  const client = new FakeLibc(host, options);
  const server = new FakeLibc(publicHost(world), options);
  const near = openSocket(client, { name: "", family: 4, rdomain: 1 });
  const far = openSocket(server, {
    name: "",
    family: 4,
    address: address("192.0.2.1"),
    port: 5080,
  });
  return { host, client, server, near, far, inner: server.files.socket(far.fd) };
}

const TO = remoteAt("192.0.2.1", 5080);

/** What the calls named `name` returned. */
function resultsOf(libc: FakeLibc, name: string): string[] {
  return libc.takeCalls().filter((call) => call.startsWith(name)).map((call) =>
    / = (-1 \w+|\d+)(?: \[.*)?$/.exec(call)![1]!
  );
}

function payloadsOf(socket: OpenbsdSocket): number[] {
  return receive(socket).map(({ payload }) => payload[0]!);
}

Deno.test("OpenbsdSocket moves whole batches although the kernel takes only part of one per call", () => {
  const { client, server, near, far } = makePair({ maxBatch: 24 });
  const numbers = Array.from({ length: BATCH_DATAGRAMS }, (_, i) => i);
  assertEquals(near.send(batchOf(TO, ...numbers.map((i) => [i])), 0), BATCH_DATAGRAMS);
  assertEquals(resultsOf(client, "sendmmsg"), ["24", "24", "16"]);
  const received = [payloadsOf(far), payloadsOf(far), payloadsOf(far), payloadsOf(far)];
  assertEquals(received.map(({ length }) => length), [24, 24, 16, 0]);
  assertEquals(received.flat(), numbers);
  assertEquals(resultsOf(server, "recvmmsg"), ["24", "24", "16", "-1 EAGAIN"]);
});

Deno.test("OpenbsdSocket.send() goes on with the datagram that ended a batch, and loses none of it", () => {
  for (const batches of [true, false]) {
    const { host, client, near, far } = makePair({ batches });
    let calls = 0;
    // One datagram of five is blocked by a rule, and only the first time.
    host.blocks = () => ++calls === 3;
    const batch = batchOf(TO, [0], [1], [2], [3], [4]);
    assertEquals([near.send(batch, 0), near.failure], [5, undefined]);
    if (batches) assertEquals(resultsOf(client, "sendmmsg"), ["2", "3"]);
    assertEquals(payloadsOf(far), [0, 1, 2, 3, 4]);
  }
});

Deno.test("OpenbsdSocket.receive() does not take the end of a batch for an error, or ask a second time", () => {
  const { server, near, far } = makePair();
  near.send(batchOf(TO, [0], [1]), 0);
  assertEquals([payloadsOf(far), payloadsOf(far)], [[0, 1], []]);
  assertEquals(resultsOf(server, "recvmmsg"), ["2", "-1 EAGAIN"]);
});

Deno.test("OpenbsdSocket.receive() passes over an error that was kept from the batch before", async () => {
  for (const batches of [true, false]) {
    const { server, near, far, inner } = makePair({ batches });
    const poller = openPoller(server);
    poller.watch([{ fd: far.fd, writable: false }]);
    near.send(batchOf(TO, [0], [1]), 0);
    inner.error = "ECONNREFUSED";
    assertEquals(payloadsOf(far), [0, 1]);
    if (batches) {
      assertEquals(inner.error, "ECONNREFUSED");
      await poller.wait(Infinity);
      assert(poller.ready(0), "the error can be read");
    }
    assertEquals(payloadsOf(far), []);
    assertEquals(inner.error, undefined);
    near.send(batchOf(TO, [2]), 0);
    assertEquals(payloadsOf(far), [2]);
    poller.close();
  }
});

Deno.test("OpenbsdSocket.send() meets an error that a receive kept, at the cost of one datagram", () => {
  for (const batches of [true, false]) {
    const { near, far, inner } = makePair({ batches });
    near.send(batchOf(TO, [0]), 0);
    const answer = batchOf(receive(far)[0]!.remote, [1], [2], [3]);
    inner.error = "ECONNREFUSED";
    assertEquals([far.send(answer, 0), far.failure], [0, "refused"]);
    assertEquals([far.send(answer, 1), far.failure], [2, undefined]);
    assertEquals(payloadsOf(near), [2, 3]);
  }
});

Deno.test("OpenbsdSocket throws at an error of its own making although a batch went before it", () => {
  const { near, far, inner } = makePair();
  near.send(batchOf(TO, [0]), 0);
  inner.error = "EFAULT";
  assertEquals(payloadsOf(far), [0]);
  assertThrows(() => receive(far), Error, "Bad address");
});
