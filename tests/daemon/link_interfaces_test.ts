import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { LinkConfig } from "../../src/config/config.ts";
import {
  interfaceOf,
  isProbablyMetered,
  LinkInterfaces,
  presentLinks,
} from "../../src/daemon/link_interfaces.ts";
import { matchesPattern } from "../../src/pattern.ts";
import type { HostInterface } from "../../src/platform/platform.ts";
import { address } from "../addresses.ts";

const OPTIONS = { tier: "primary", metered: false, timeoutUs: 1e6 } as const;
const REMOTES = [{ host: address("192.0.2.1"), port: 5080 }];
const SPARE: LinkConfig = {
  name: "",
  remotes: REMOTES,
  auto: true,
  options: { ...OPTIONS, spare: true },
};

function link(name: string, by: string): LinkConfig {
  return { name, remotes: REMOTES, interface: by, options: OPTIONS };
}

/** An interface; each letter takes something away: no carrier, no address, no default route. */
function has(name: string, without = ""): HostInterface {
  return {
    name,
    isRunning: !without.includes("c"),
    addresses: without.includes("a") ? [] : [address("198.51.100.2")],
    defaults: without.includes("d") ? [] : [{ family: 4, metric: 100 }],
  };
}

/** Interfaces of all links after each of several looks. */
function follow(
  links: readonly LinkConfig[],
  ...looks: readonly (readonly HostInterface[])[]
): (string | undefined)[][] {
  const chosen = new LinkInterfaces(links, ["lo", "tun*"]);
  return looks.map((look) => {
    chosen.update(look);
    return links.map((_, i) => chosen.nameOf(i));
  });
}

Deno.test("LinkInterfaces gives a pattern the first interface that is there, one with an address first", () => {
  const lte = [link("lte", "wwan*")];
  assertEquals(follow(lte, [has("eth0")]), [[undefined]]);
  assertEquals(follow(lte, [has("wwan10"), has("wwan9")]), [["wwan9"]]);
  assertEquals(follow(lte, [has("wwan0", "c"), has("wwan1")]), [["wwan1"]]);
  assertEquals(follow(lte, [has("wwan0", "a"), has("wwan1", "ac")]), [["wwan0"]]);
  assertEquals(follow(lte, [has("wwan0", "d")]), [["wwan0"]], "its routes are the user's");
});

Deno.test("LinkInterfaces keeps an interface that works, and leaves one that does not for a better one", () => {
  assertEquals(
    follow(
      [link("lte", "wwan*")],
      [has("wwan1")],
      [has("wwan0"), has("wwan1")],
      [has("wwan0"), has("wwan1", "c")],
      [has("wwan0", "c"), has("wwan1", "c")],
      [has("wwan1", "c")],
      [],
    ),
    [["wwan1"], ["wwan1"], ["wwan0"], ["wwan0"], ["wwan1"], [undefined]],
  );
});

Deno.test("LinkInterfaces.setExclude() takes an interface from a spare link, and gives it back", () => {
  const chosen = new LinkInterfaces([SPARE, SPARE], []);
  const names = (...exclude: string[]): (string | undefined)[] => {
    chosen.setExclude(exclude);
    chosen.update([has("eth0"), has("eth1")]);
    return [0, 1].map((link) => chosen.nameOf(link));
  };
  assertEquals([names(), names("eth0"), names()], [
    ["eth0", "eth1"],
    [undefined, "eth1"],
    ["eth0", "eth1"],
  ]);
});

Deno.test("LinkInterfaces gives an interface to one link only, and to those that have no choice first", () => {
  const two = [link("a", "wwan*"), link("b", "wwan*")];
  assertEquals(follow(two, [has("wwan0")], [has("wwan0"), has("wwan1")]), [
    ["wwan0", undefined],
    ["wwan0", "wwan1"],
  ]);
  const named = [link("any", "w*"), link("lte", "wwan*"), link("fixed", "wwan0")];
  assertEquals(follow(named, [has("wwan0"), has("wwan1"), has("wlan0")]), [
    ["wlan0", "wwan1", "wwan0"],
  ]);
});

Deno.test("LinkInterfaces seats uplinks that nobody has named, and excludes what it is told to", () => {
  const links = [link("eth0", "eth0"), link("lte", "wwan*"), SPARE, SPARE];
  const all = [
    has("lo"),
    has("tun3"),
    has("eth0"),
    has("wwan0"),
    has("wlan0"),
    has("eth1", "d"),
    has("eth2", "c"),
  ];
  assertEquals(follow(links, all), [["eth0", "wwan0", "wlan0", undefined]]);
});

Deno.test("LinkInterfaces gives an uplink that comes back the place that it had", () => {
  const spare = [SPARE, SPARE, SPARE];
  const [a, b, c] = [has("eth0"), has("eth1"), has("eth2")];
  assertEquals(follow(spare, [a, b], [b], [b, c], [a, b, c], [c], [has("eth9"), c]), [
    ["eth0", "eth1", undefined],
    [undefined, "eth1", undefined],
    [undefined, "eth1", "eth2"],
    ["eth0", "eth1", "eth2"],
    [undefined, undefined, "eth2"],
    ["eth9", undefined, "eth2"],
  ]);
  const chosen = new LinkInterfaces(spare.slice(1), []);
  assertEquals(chosen.update([a, b, c]), [0, 1]);
  assertEquals(chosen.left([a, b, c]), ["eth2"]);
  assertEquals(chosen.update([a, b, c]), []);
});

Deno.test("LinkInterfaces never gives an interface twice, nor one that does not match", () => {
  const names = ["eth0", "eth1", "wwan0", "wwan1", "wlan0"];
  const anyInterface = fc.record({
    name: fc.constantFrom(...names),
    without: fc.constantFrom("", "c", "a", "d", "acd"),
  });
  const anyLook = fc.uniqueArray(anyInterface, { selector: ({ name }) => name });
  const patterns = ["wwan*", "w*", "*", "eth?"];
  const anyLinks = fc.array(fc.constantFrom(SPARE, ...patterns.map((by) => link(by, by))), {
    maxLength: 6,
  });
  fc.assert(fc.property(anyLinks, fc.array(anyLook, { maxLength: 6 }), (links, looks) => {
    const chosen = new LinkInterfaces(links, []);
    for (const look of looks) {
      const present = look.map(({ name, without }) => has(name, without));
      chosen.update(present);
      const given = links.flatMap((_, i) => chosen.nameOf(i) ?? []);
      assertEquals(new Set(given).size, given.length);
      for (const [i, { interface: pattern = "*", options }] of links.entries()) {
        const name = chosen.nameOf(i);
        if (name === undefined) continue;
        assertEquals(matchesPattern(pattern, name), true);
        const by = present.find((one) => one.name === name)!;
        if (options.spare) assertEquals([by.isRunning, by.defaults.length], [true, 1]);
      }
    }
  }));
});

Deno.test("presentLinks() and interfaceOf() say what links are now", () => {
  const links = [link("dsl", "eth0"), link("lte", "wwan*"), SPARE, SPARE];
  const chosen = new LinkInterfaces(links, []);
  const sockets = (): (string | undefined)[] =>
    links.map((link, i) => interfaceOf(link, chosen.nameOf(i)));
  assertEquals(sockets(), ["eth0", "wwan*", "", ""]);
  chosen.update([has("wwan1"), has("usb0")]);
  assertEquals(sockets(), ["eth0", "wwan1", "usb0", ""]);
  const present = presentLinks(links, chosen);
  assertEquals(
    present.map(({ name, interface: by, options }) => [name, by, options.metered]),
    [["dsl", "eth0", false], ["lte", "wwan1", false], ["usb0", "usb0", true]],
  );
});

Deno.test("isProbablyMetered() goes by the names of modems and tethered phones", () => {
  const names = ["wwan0", "wwp0s20u4", "usb0", "rmnet_data0", "eth0", "wlan0", "wlp2s0", "ppp0"];
  assertEquals(names.filter(isProbablyMetered), ["wwan0", "wwp0s20u4", "usb0", "rmnet_data0"]);
});
