import { assert, assertEquals, assertThrows } from "@std/assert";
import { AbsentError, AggvpnError } from "../../src/errors.ts";
import { LinkSockets } from "../../src/io/link_sockets.ts";
import type { SocketOptions } from "../../src/platform/platform.ts";
import { logged } from "../logged.ts";
import { FakeSocket } from "./fakes.ts";

const LINKS: readonly SocketOptions[] = [{ name: "dsl", family: 4 }, { name: "lte", family: 4 }];

/** A platform whose sockets meet the given errors, by link. */
function platform(errors: Record<string, AggvpnError>): {
  opened: FakeSocket[];
  asked: SocketOptions[];
  errors: Record<string, AggvpnError>;
  openSocket: (options: SocketOptions) => FakeSocket;
} {
  const opened: FakeSocket[] = [];
  const asked: SocketOptions[] = [];
  return {
    opened,
    asked,
    errors,
    openSocket: (options): FakeSocket => {
      asked.push(options);
      const error = errors[options.name];
      if (error) throw error;
      opened.push(new FakeSocket(opened.length));
      return opened.at(-1)!;
    },
  };
}

const ABSENT = new AbsentError("No such device", { hint: "Name one of eth0." });
const TAKEN = new AggvpnError("Address already in use");

Deno.test("LinkSockets.openAll() waits for what is not there, also when nothing is", async () => {
  const host = platform({ dsl: ABSENT, lte: ABSENT });
  const lines = await logged(() => {
    const links = new LinkSockets(host, LINKS);
    assertEquals(links.openAll(), [undefined, undefined]);
    assertEquals([0, 1].map((i) => links.reasonOf(i)), ["No such device", "No such device"]);
    assertEquals(links.reopen(1), undefined);
    delete host.errors.lte;
    assertEquals(links.reopen(1), host.opened[0]);
    assertEquals([0, 1].map((i) => links.reasonOf(i)), ["No such device", undefined]);
  });
  assertEquals(lines, [
    "warning Link dsl waits for its socket: No such device. Name one of eth0.",
    "warning Link lte waits for its socket: No such device. Name one of eth0.",
    "info Link lte has its socket",
  ]);
});

Deno.test("LinkSockets opens nothing for a link without interface, and follows it to another", async () => {
  const host = platform({});
  const lines = await logged(() => {
    const links = new LinkSockets(host, [LINKS[0]!, { name: "", family: 4, interface: "" }]);
    assertEquals(links.openAll(), [host.opened[0], undefined]);
    assertEquals(links.reopen(1), undefined);
    assertEquals([links.reasonOf(1), links.names], [undefined, ["dsl", ""]]);
    links.setInterface(1, "eth5", "eth5");
    assertEquals(links.reopen(1), host.opened[1]);
    assertEquals(host.asked.at(-1), { name: "eth5", family: 4, interface: "eth5" });
    links.setInterface(1, "", "");
    assertEquals([links.reopen(1), links.names], [undefined, ["dsl", ""]]);
  });
  assertEquals(lines, []);
});

Deno.test("LinkSockets.openAll() throws on any other error and leaves nothing open", () => {
  const host = platform({ lte: TAKEN });
  assertThrows(() => new LinkSockets(host, LINKS).openAll(), AggvpnError, "already in use");
  assertEquals(host.opened.length, 1);
  assert(host.opened.every((socket) => socket.closed));
});

Deno.test("LinkSockets.reopen() waits whatever the error is", () => {
  const host = platform({ dsl: TAKEN });
  assertEquals(new LinkSockets(host, LINKS).reopen(0), undefined);
});

Deno.test("LinkSockets.setFamily() counts for sockets that are opened later", () => {
  const host = platform({});
  const links = new LinkSockets(host, LINKS);
  links.openAll();
  assertEquals([links.setFamily(1, 4), links.setFamily(1, 6)], [false, true]);
  links.reopen(1);
  assertEquals(host.asked.map(({ name, family }) => `${name} ${family}`), [
    "dsl 4",
    "lte 4",
    "lte 6",
  ]);
});

Deno.test("LinkSockets.reopen() does not hide a bug", () => {
  const openSocket = (): never => {
    throw new TypeError("bug");
  };
  assertThrows(() => new LinkSockets({ openSocket }, LINKS).reopen(0), TypeError);
});
