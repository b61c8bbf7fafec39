import { assert, assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { LinkSockets } from "../../src/io/link_sockets.ts";
import type { SocketOptions } from "../../src/platform/platform.ts";
import { FakeSocket } from "./fakes.ts";

const LINKS: readonly SocketOptions[] = [{ name: "dsl", family: 4 }, { name: "lte", family: 4 }];

/** A platform whose sockets meet the given errors, by link. */
function platform(errors: Record<string, string>): {
  opened: FakeSocket[];
  errors: Record<string, string>;
  openSocket: (options: SocketOptions) => FakeSocket;
} {
  const opened: FakeSocket[] = [];
  return {
    opened,
    errors,
    openSocket: ({ name }): FakeSocket => {
      const errno = errors[name];
      if (errno) throw new AggvpnError(`Cannot bind: ${errno}`, { cause: new Error(errno) });
      opened.push(new FakeSocket(opened.length));
      return opened.at(-1)!;
    },
  };
}

Deno.test("LinkSockets.openAll() waits for an address as long as another link opens", () => {
  const host = platform({ lte: "EADDRNOTAVAIL" });
  const links = new LinkSockets(host, LINKS);
  assertEquals(links.openAll(), [host.opened[0]!, undefined]);
  assertEquals(links.reopen(1), undefined);
  delete host.errors.lte;
  assertEquals(links.reopen(1), host.opened[1]);
});

Deno.test("LinkSockets.openAll() throws when no link has its address", () => {
  const host = platform({ dsl: "EADDRNOTAVAIL", lte: "EADDRNOTAVAIL" });
  assertThrows(() => new LinkSockets(host, LINKS).openAll(), AggvpnError, "EADDRNOTAVAIL");
});

Deno.test("LinkSockets.openAll() throws on any other error and leaves nothing open", () => {
  const host = platform({ lte: "ENODEV" });
  assertThrows(() => new LinkSockets(host, LINKS).openAll(), AggvpnError, "ENODEV");
  assertEquals(host.opened.length, 1);
  assert(host.opened.every((socket) => socket.closed));
});

Deno.test("LinkSockets.reopen() waits for an interface that is gone", () => {
  const host = platform({ dsl: "ENODEV" });
  assertEquals(new LinkSockets(host, LINKS).reopen(0), undefined);
});

Deno.test("LinkSockets.reopen() does not hide a bug", () => {
  const openSocket = (): never => {
    throw new TypeError("bug");
  };
  assertThrows(() => new LinkSockets({ openSocket }, LINKS).reopen(0), TypeError);
});
