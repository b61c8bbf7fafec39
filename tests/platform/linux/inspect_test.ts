import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hasCapability, inspectHost } from "../../../src/platform/linux/inspect.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { openSocket } from "../../../src/platform/linux/socket.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { HostFinding, HostNeeds } from "../../../src/platform/platform.ts";
import { findProgram } from "../../../src/platform/run_changes.ts";
import { address } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const NOTHING: HostNeeds = {
  tunName: undefined,
  plan: { interface: "", addresses: [], routes: [] },
  links: [],
  listen: [],
  leakGuard: false,
  nat: false,
  mssClamp: false,
  forwarding: false,
  openFiles: 106,
};

function inspect(needs: Partial<HostNeeds>, hasLibcrypto = true): readonly HostFinding[] {
  return inspectHost(openLibc(), { ...NOTHING, ...needs }, hasLibcrypto);
}

/** `severity: message` of each finding. */
function texts(findings: readonly HostFinding[]): string[] {
  return findings.map(({ severity, message }) => `${severity}: ${message}`);
}

Deno.test("hasCapability() reads CapEff of /proc/self/status", () => {
  const status = "CapPrm:\t000001ffffffffff\nCapEff:\t0000000000001000\nCapBnd:\t0\n";
  assertEquals([hasCapability(status, 12), hasCapability(status, 13)], [true, false]);
  assertEquals(hasCapability("", 12), false);
});

Deno.test({
  ...networkTest("inspectHost() finds nothing on a host that has everything"),
  fn: () =>
    inNewNetwork(() => {
      ip("link set lo up");
      assertEquals(
        texts(inspect({
          tunName: "agg0",
          links: [{
            name: "a",
            family: 4,
            interface: "lo",
            address: address("127.0.0.1"),
            remotes: [],
          }],
          listen: [{ host: address("127.0.0.1"), port: 5080 }],
        })),
        [],
      );
    }),
});

Deno.test({
  ...networkTest(
    "inspectHost() finds links whose interface is missing, down or without its address",
  ),
  fn: () =>
    inNewNetwork(() => {
      ip("link add wan0 type veth peer name wan1");
      ip("link set lo up");
      const link = { name: "dsl", family: 4, remotes: [] } as const;
      const findings = inspect({
        links: [
          { ...link, interface: "wan00" },
          { ...link, interface: "wan0" },
          { ...link, interface: "lo", address: address("192.0.2.77") },
          { ...link, address: address("192.0.2.78") },
        ],
      });
      assertEquals(texts(findings), [
        `error: Link "dsl": interface "wan00" does not exist`,
        `warning: Link "dsl": interface "wan0" is down`,
        `error: Link "dsl": Cannot bind to 192.0.2.77:0: Cannot assign requested address`,
        `error: Link "dsl": Cannot bind to 192.0.2.78:0: Cannot assign requested address`,
      ]);
      assertEquals(findings[0]!.hint, `Did you mean "wan0"?`);
      ip("link set wan0 up");
      assertStringIncludes(
        texts(inspect({ links: [{ ...link, interface: "wan0" }] }))[0]!,
        "has no carrier",
      );
    }),
});

Deno.test({
  ...networkTest("inspectHost() warns of a strict reverse-path filter on a link"),
  fn: () =>
    inNewNetwork(() => {
      ip("link set lo up");
      Deno.writeTextFileSync("/proc/sys/net/ipv4/conf/lo/rp_filter", "1");
      const links = [{ name: "dsl", family: 4, interface: "lo", remotes: [] }] as const;
      assertStringIncludes(texts(inspect({ links }))[0]!, "strict reverse-path filter");
      Deno.writeTextFileSync("/proc/sys/net/ipv4/conf/all/rp_filter", "2");
      assertEquals(inspect({ links }), []);
    }),
});

Deno.test({
  ...networkTest("inspectHost() warns of a port and an interface name that are in use"),
  fn: () =>
    inNewNetwork(() => {
      ip("link set lo up");
      const tun = openTun(openLibc(), "agg0");
      const local = { name: "x", family: 4, address: address("127.0.0.1"), port: 5080 } as const;
      const socket = openSocket(openLibc(), local);
      const findings = inspect({
        tunName: "agg0",
        listen: [{ host: address("127.0.0.1"), port: 5080 }],
      });
      assertEquals(texts(findings), [
        `warning: Interface "agg0" exists already`,
        "warning: Listening: Cannot bind to 127.0.0.1:5080: Address already in use",
      ]);
      assertMatch(findings[1]!.hint!, /ss -ulpn.*running aggvpn is no problem/);
      socket.close();
      tun.close();
    }),
});

Deno.test({
  ...networkTest("inspectHost() says what is missing for forwarding, NAT and speed"),
  fn: () =>
    inNewNetwork(() => {
      Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", "0");
      assertStringIncludes(texts(inspect({ forwarding: true }))[0]!, "does not forward");
      assertStringIncludes(texts(inspect({}, false))[0]!, "warning: Cannot load libcrypto");
      const nat = texts(inspect({ forwarding: true, nat: true }));
      const purposes = { nft: "translate addresses (tunnel.nat)", sysctl: "switch on forwarding" };
      const missing = Object.entries(purposes).filter(([name]) => findProgram(name) === undefined);
      assertEquals(nat, missing.map(([name, purpose]) => `error: No "${name}" to ${purpose}`));
    }),
});
