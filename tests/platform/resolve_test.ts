import { assertEquals, assertRejects } from "@std/assert";
import { AggvpnError } from "../../src/errors.ts";
import { resolveRemote } from "../../src/platform/resolve.ts";
import { address } from "../addresses.ts";

Deno.test("resolveRemote() takes addresses as they are", async () => {
  assertEquals(`${await resolveRemote(address("192.0.2.1"), 5080)}`, "192.0.2.1:5080");
  assertEquals(`${await resolveRemote(address("2001:db8::1"), 5080)}`, "[2001:db8::1]:5080");
  assertEquals(`${await resolveRemote(address("2001:db8::1"), 5080, 6)}`, "[2001:db8::1]:5080");
});

Deno.test("resolveRemote() rejects an address of another family than the socket's", async () => {
  await assertRejects(
    () => resolveRemote(address("192.0.2.1"), 1, 6),
    AggvpnError,
    "no IPv6 address",
  );
  await assertRejects(() => resolveRemote(address("::1"), 1, 4), AggvpnError, "no IPv4 address");
});

Deno.test("resolveRemote() puts the interface of a link-local address into the scope", async () => {
  const scopeOf = async (
    host: string,
  ): Promise<number[]> => [
    ...(await resolveRemote(address(host), 1, 6, (name) => name === "eth7" ? 0x102 : 0)).bytes
      .slice(36),
  ];
  assertEquals(await scopeOf("fe80::1%eth7"), [0, 0, 1, 2]);
  assertEquals(await scopeOf("fe80::1%3"), [0, 0, 0, 3]);
  await assertRejects(() => scopeOf("fe80::1%eth8"), AggvpnError, `Cannot find interface "eth8"`);
});

Deno.test({
  name: "resolveRemote() looks a name up as the system does",
  ignore: Deno.permissions.querySync({ name: "net" }).state !== "granted",
  fn: async () => {
    assertEquals(`${await resolveRemote("localhost", 7, 4)}`, "127.0.0.1:7");
    // RFC 6761 section 6.4: names under "invalid" never exist.
    await assertRejects(
      () => resolveRemote("nobody.invalid", 7),
      AggvpnError,
      `Cannot resolve "nobody.invalid"`,
    );
  },
});
