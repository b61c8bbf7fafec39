/**
 * Inquiries on OpenBSD: the calls they make, and what they make of the kernel's errors.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { type Inquiry, Refusal } from "../../../src/platform/inquiry.ts";
import { openInquiry } from "../../../src/platform/openbsd/inquiry.ts";
import { remoteAt } from "./batches.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway } from "./golden.ts";

function ask(): { libc: FakeLibc; inquiry: Inquiry; fail: (error: string) => void } {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  const link = { name: "dsl", family: 4, rdomain: 1 } as const;
  const inquiry = openInquiry(libc, link, remoteAt("192.0.2.2", 5080), "udp");
  const fail = (error: string): void => {
    libc.files.socket(libc.files.open.at(-1)!).error = error;
  };
  return { libc, inquiry, fail };
}

Deno.test("openInquiry() connects a socket of the link's routing table", () => {
  const { libc, inquiry } = ask();
  assertEquals(inquiry.write(Uint8Array.of(0)), true);
  assertEquals(inquiry.read(), undefined);
  inquiry.close();
  assertEquals(libc.files.open, []);
  const calls = libc.calls.map((call) => call.slice(0, call.indexOf("(")));
  assertEquals(calls, ["socket", "setsockopt", "bind", "connect", "write", "read", "close"]);
});

Deno.test("an inquiry throws what the network refuses, again and again", () => {
  for (const code of ["ECONNREFUSED", "EHOSTUNREACH", "EACCES"]) {
    const { inquiry, fail } = ask();
    fail(code);
    for (let i = 0; i < 2; i++) {
      const refusal = assertThrows(() => inquiry.read(), Refusal);
      assertEquals(refusal.code, code);
    }
    assertThrows(() => inquiry.write(Uint8Array.of(0)), Refusal);
    inquiry.close();
  }
});

Deno.test("an inquiry takes what may pass for no answer", () => {
  const { inquiry, fail } = ask();
  fail("ENOBUFS");
  assertEquals(inquiry.write(Uint8Array.of(0)), false);
  assertEquals(inquiry.write(Uint8Array.of(0)), true);
  inquiry.close();
});
