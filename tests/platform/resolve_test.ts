import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AbsentError, AggvpnError } from "../../src/errors.ts";
import { interleaveFamilies, lookupAddresses, remotesOf } from "../../src/platform/resolve.ts";
import { address } from "../addresses.ts";

const V4 = address("192.0.2.1");
const V6 = address("2001:db8::1");

Deno.test("remotesOf() keeps the order of the addresses, and leaves out those of another family", () => {
  const found = (family?: 4 | 6): string[] =>
    remotesOf("vpn.example.net", [V6, V4], 5080, family).map((remote) => `${remote}`);
  assertEquals(found(), ["[2001:db8::1]:5080", "192.0.2.1:5080"]);
  assertEquals(found(4), ["192.0.2.1:5080"]);
  assertEquals(found(6), ["[2001:db8::1]:5080"]);
});

Deno.test("remotesOf() rejects a host without an address of the family", () => {
  assertThrows(() => remotesOf(V4, [V4], 1, 6), AbsentError, "192.0.2.1 has no IPv6 address");
  assertThrows(() => remotesOf("a.example", [], 1), AbsentError, "a.example has no IPv4 address");
});

Deno.test("remotesOf() puts the interface of a link-local address into the scope", () => {
  const scopeOf = (text: string): number[] => {
    const local = address(text);
    const [remote] = remotesOf(local, [local], 1, 6, (name) => name === "eth7" ? 0x102 : 0);
    return [...remote!.bytes.slice(36)];
  };
  assertEquals(scopeOf("fe80::1%eth7"), [0, 0, 1, 2]);
  assertEquals(scopeOf("fe80::1%3"), [0, 0, 0, 3]);
  assertThrows(() => scopeOf("fe80::1%eth8"), AggvpnError, `Cannot find interface "eth8"`);
});

Deno.test({
  name: "lookupAddresses() looks a name up as the system does",
  ignore: Deno.permissions.querySync({ name: "net" }).state !== "granted",
  fn: async () => {
    const found = await lookupAddresses("localhost");
    assert(found.some((address) => ["127.0.0.1", "::1"].includes(`${address}`)), `${found}`);
    // RFC 6761 section 6.4: names under "invalid" never exist.
    await assertRejects(
      () => lookupAddresses("nobody.invalid"),
      AbsentError,
      `Cannot resolve "nobody.invalid"`,
    );
  },
});

Deno.test("interleaveFamilies() alternates, in the order of each family", () => {
  const texts = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"];
  const remotes = remotesOf("a.example", texts.map(address), 1);
  const order = (first?: 4 | 6): string[] =>
    interleaveFamilies(remotes, first).map(({ address }) => `${address}`);
  const [a, b, c, d, e] = texts;
  assertEquals(order(), [a, d, b, e, c]);
  assertEquals(order(4), [d, a, e, b, c]);
  assertEquals(interleaveFamilies([]), []);
});
