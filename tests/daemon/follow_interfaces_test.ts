import { assertEquals } from "@std/assert";
import type { LinkConfig } from "../../src/config/config.ts";
import { InterfaceFollower } from "../../src/daemon/follow_interfaces.ts";
import { findLinks } from "../../src/daemon/found_links.ts";
import { LinkInterfaces } from "../../src/daemon/link_interfaces.ts";
import { AggvpnError } from "../../src/errors.ts";
import type { HostInterface } from "../../src/platform/platform.ts";
import { address } from "../addresses.ts";
import { parse } from "../config/samples.ts";
import { logged } from "../logged.ts";

const OPTIONS = { tier: "primary", metered: false, timeoutUs: 1e6 } as const;
const REMOTES = [{ host: address("192.0.2.1"), port: 5080 }];
const NAMED: LinkConfig = {
  name: "lte",
  remotes: REMOTES,
  auto: true,
  interface: "ppp0",
  options: OPTIONS,
};
const SPARE: LinkConfig = {
  name: "",
  remotes: REMOTES,
  auto: true,
  options: { ...OPTIONS, spare: true },
};

function uplink(name: string): HostInterface {
  return {
    name,
    isRunning: true,
    addresses: [address("198.51.100.2")],
    defaults: [{ family: 4, gateway: address("198.51.100.1"), metric: 100 }],
  };
}

Deno.test("InterfaceFollower tells sockets, core and routes what links are", async () => {
  const did: string[] = [];
  let present: readonly HostInterface[] | AggvpnError = [uplink("eth0")];
  const links = [NAMED, SPARE];
  const interfaces = new LinkInterfaces(links, []);
  const lines = await logged(() => {
    const follower = new InterfaceFollower({
      links,
      interfaces,
      list: () => {
        if (present instanceof AggvpnError) throw present;
        return present;
      },
      endpoint: {
        setArrival: (_now, link, arrival) =>
          did.push(`arrival ${link} ${arrival?.name ?? "-"} ${arrival?.metered ?? ""}`.trim()),
      },
      linkSockets: { setInterface: (link, by, name) => did.push(`socket ${link} ${by} ${name}`) },
      driver: { reopen: (link) => did.push(`reopen ${link}`) },
      routes: {
        update: (uplinks) => {
          did.push(`routes ${uplinks.map(({ link, interface: by }) => `${link} ${by.name}`)}`);
          return Promise.resolve();
        },
      },
      clock: () => 0,
    });
    assertEquals(did.splice(0), ["arrival 1 -"]);
    follower.update();
    assertEquals(did.splice(0), [
      "socket 1 eth0 eth0",
      "arrival 1 -",
      "arrival 1 eth0 false",
      "reopen 1",
      "routes 1 eth0",
    ]);
    present = [uplink("usb0"), uplink("ppp0"), uplink("eth9")];
    follower.update();
    assertEquals(did.splice(0), [
      "socket 1 eth9 eth9",
      "arrival 1 -",
      "arrival 1 eth9 false",
      "reopen 1",
      "routes 0 ppp0,1 eth9",
    ]);
    present = new AggvpnError("Cannot list interfaces and routes: No buffer space available");
    follower.update();
    follower.update();
    assertEquals(did, [], "links stay where they are");
    present = [];
    follower.update();
    assertEquals(did, ["socket 1  ", "arrival 1 -", "reopen 1", "routes "]);
  });
  assertEquals(lines.filter((line) => line.includes("no room")).length, 1, lines.join("\n"));
  assertEquals(lines.filter((line) => line.includes("stay where they are")).length, 1);
});

const AUTO = `mode = "client"
password = "not a secret, only a test"
server = "192.0.2.1:5080"
links = "auto"
links_exclude = ["eth9"]
[tunnel]
address = "10.44.43.1/30"
[link.lte]
interface = "wwan*"
metered = true
[link.eth1]
tier = "backup"
`;

Deno.test("findLinks() says which links there would be now", () => {
  const { config } = parse(AUTO);
  const list = (...names: readonly string[]): HostInterface[] => names.map(uplink);
  const found = (...names: readonly string[]): string[] => {
    const uplinks = { list: () => list(...names), planner: () => () => [] };
    const { findings } = findLinks(config!, { os: "linux", uplinks });
    return findings.map(({ severity, message }) => `${severity}: ${message}`);
  };
  assertEquals(found("eth0", "wwan0", "eth9", "docker0"), [
    "info: Links now: lte (wwan0, via 198.51.100.1, metered), eth1 (not there), " +
    "eth0 (via 198.51.100.1)",
  ]);
  const { findings, settled } = findLinks(config!, { os: "openbsd" });
  assertEquals(findings.map(({ severity, message }) => `${severity}: ${message}`), [
    'error: links = "auto" is not possible on openbsd, where a routing domain makes a link',
  ]);
  assertEquals(settled.mode === "client" && settled.links.map(({ name }) => name), ["lte", "eth1"]);
});

Deno.test("findLinks() warns when there is no link at all", () => {
  const bare = AUTO.replace(/\[link\.lte\][^]*$/, "");
  const uplinks = { list: () => [], planner: () => () => [] };
  const { findings } = findLinks(parse(bare).config!, { os: "linux", uplinks });
  assertEquals(findings.map(({ severity }) => severity), ["warning"]);
});
