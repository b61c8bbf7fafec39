import { assertEquals } from "@std/assert";
import type { LinkConfig } from "../../src/config/config.ts";
import {
  isPinned,
  keysOf,
  osOf,
  PINNING_KEYS,
  PORT_KEYS,
  portSpaceOf,
  SOCKET_KEYS,
  sourceOf,
  WAY_KEYS,
  type WayKey,
  wayOf,
} from "../../src/config/ways.ts";
import { address } from "../addresses.ts";

const PLAIN: LinkConfig = {
  name: "dsl",
  remotes: [{ host: "vpn.example.net", port: 5080 }],
  options: { tier: "primary", metered: false, timeoutUs: 1e6 },
};

/** A link for each key of the way, with only that key. */
const ALONE: Readonly<Record<WayKey, LinkConfig>> = {
  bind: { ...PLAIN, bind: address("192.0.2.7") },
  interface: { ...PLAIN, interface: "eth0" },
  rdomain: { ...PLAIN, rdomain: 1 },
  table: { ...PLAIN, table: 101 },
  vrf: { ...PLAIN, vrf: "red" },
  mark: { ...PLAIN, mark: 5 },
};

Deno.test("the keys of the way are those of links that say something about it", () => {
  assertEquals(WAY_KEYS, ["bind", "interface", "rdomain", "table", "vrf", "mark"]);
  assertEquals(PORT_KEYS, ["bind", "interface", "rdomain"]);
  assertEquals(SOCKET_KEYS, ["bind", "interface", "rdomain", "mark"]);
  assertEquals(PINNING_KEYS, ["interface", "table", "vrf", "mark", "rdomain"]);
  assertEquals(keysOf("device"), ["interface", "vrf"]);
});

Deno.test("osOf() names the only system that has a key", () => {
  assertEquals(WAY_KEYS.map(osOf), [undefined, "linux", "openbsd", "linux", "linux", "linux"]);
});

Deno.test("wayOf() returns what either key of a way says", () => {
  assertEquals(wayOf(ALONE.interface, "device"), "eth0");
  assertEquals(wayOf(ALONE.vrf, "device"), "red");
  assertEquals(wayOf({ ...ALONE.vrf, interface: "eth0" }, "device"), "eth0");
  assertEquals(wayOf(ALONE.bind, "address"), address("192.0.2.7"));
  assertEquals(wayOf({ ...PLAIN, rdomain: 0 }, "domain"), 0);
  assertEquals(wayOf(PLAIN, "mark"), undefined);
});

Deno.test("sourceOf() tells links apart by every key of the way, and not by any address", () => {
  const links = [PLAIN, ...Object.values(ALONE)];
  assertEquals(new Set(links.map(sourceOf)).size, links.length);
  for (const text of ["0.0.0.0", "::"]) {
    assertEquals(sourceOf({ ...PLAIN, bind: address(text) }), sourceOf(PLAIN));
  }
  assertEquals(
    sourceOf({ ...PLAIN, localPort: 9, options: { ...PLAIN.options, mtuBytes: 1400 } }),
    sourceOf(PLAIN),
  );
});

Deno.test("portSpaceOf() is the same for links that differ in mark or table only", () => {
  const differs = WAY_KEYS.filter((key) => portSpaceOf(ALONE[key]) !== portSpaceOf(PLAIN));
  assertEquals(differs, ["bind", "interface", "rdomain", "vrf"]);
});

Deno.test("isPinned() is true of every link with more than an address", () => {
  assertEquals(WAY_KEYS.filter((key) => !isPinned(ALONE[key])), ["bind"]);
  assertEquals(isPinned(PLAIN), false);
});
