import { assertEquals } from "@std/assert";
import type { ClientModeConfig, LinkConfig, ServerModeConfig } from "../../src/config/config.ts";
import { MAX_CLIENTS } from "../../src/control/server.ts";
import {
  contains,
  CONTROL_CLIENTS,
  familyOfAddress,
  linkSocket,
  networkPlan,
  openFiles,
  policyOptions,
  tunnelMtu,
} from "../../src/daemon/plan.ts";

const LINK: LinkConfig = {
  name: "dsl",
  remote: { host: "192.0.2.1", port: 5080 },
  tier: "primary",
  metered: false,
  timeoutUs: 1e6,
};

const COMMON = {
  file: "home.toml",
  name: "home",
  control: "/run/aggvpn/home.sock",
  logLevel: "info",
  sandbox: true,
  rules: [],
} as const;
const TUNNEL = { routes: [], nat: false, mssClamp: true, offload: true, duplicate: "off" } as const;

function client(
  links: LinkConfig[],
  tunnel: Partial<ClientModeConfig["tunnel"]> = {},
): ClientModeConfig {
  return { ...COMMON, mode: "client", secret: {}, links, tunnel: { ...TUNNEL, ...tunnel } };
}

function server(
  allowed: string[],
  tunnel: Partial<ServerModeConfig["tunnel"]> = {},
): ServerModeConfig {
  const clients = [{ name: "home", secret: {}, allowed }];
  return { ...COMMON, mode: "server", listen: [], clients, tunnel: { ...TUNNEL, ...tunnel } };
}

Deno.test("linkSocket() takes over what is configured and leaves the rest to the system", () => {
  assertEquals(linkSocket(LINK, 4), { name: "dsl", family: 4 });
  assertEquals(
    linkSocket({ ...LINK, bind: "2001:db8::7", localPort: 9, vrf: "red", mark: 5, rdomain: 2 }, 6),
    {
      name: "dsl",
      family: 6,
      address: "2001:db8::7",
      port: 9,
      interface: "red",
      mark: 5,
      rdomain: 2,
    },
  );
  assertEquals(linkSocket({ ...LINK, interface: "eth1", vrf: "red" }, 4).interface, "eth1");
});

Deno.test("tunnelMtu() fits the smallest link whole: 66 bytes less over IPv4, 86 over IPv6", () => {
  assertEquals(tunnelMtu(client([LINK]), [4]), 1434);
  assertEquals(tunnelMtu(client([LINK, LINK]), [4, 6]), 1414);
  assertEquals(tunnelMtu(client([{ ...LINK, mtu: 1492 }, { ...LINK, mtu: 1400 }]), [4, 4]), 1334);
  assertEquals(tunnelMtu(client([{ ...LINK, mtu: 9000 }]), [4]), 1900);
  assertEquals(tunnelMtu(client([LINK], { mtu: 1280 }), [4]), 1280);
  assertEquals(tunnelMtu(server([]), [4, 6]), 1414);
});

Deno.test("policyOptions() reads the networks of rules and keeps what is not said unsaid", () => {
  const rules = [
    { ports: [], links: ["dsl"], source: "10.0.0.0/8", destination: "2001:db8::/32" },
    { ports: [53], links: [], duplicate: "all" },
  ] as const;
  assertEquals(policyOptions({ ...client([LINK], { duplicate: "auto" }), rules }), {
    rules: [
      {
        ports: [],
        links: ["dsl"],
        source: { address: Uint8Array.of(10, 0, 0, 0), prefix: 8 },
        destination: {
          address: Uint8Array.fromHex("20010db8" + "00".repeat(12)),
          prefix: 32,
        },
      },
      { ports: [53], links: [], duplicate: "all" },
    ],
    duplicate: "auto",
  });
});

Deno.test("networkPlan() gives each route the gateway of its family", () => {
  const config = client([{ ...LINK, bind: "192.0.2.7", table: 101 }], {
    address: "10.44.43.1/30",
    address6: "fd00:44::1/64",
    gateway: "10.44.43.2",
    routes: ["198.51.100.0/24", "2001:db8::/32"],
  });
  assertEquals(networkPlan(config, "agg0", 1434, [4]), {
    interface: "agg0",
    mtu: 1434,
    addresses: ["10.44.43.1/30", "fd00:44::1/64"],
    gateways: ["10.44.43.2"],
    routes: [
      { destination: "198.51.100.0/24", gateway: "10.44.43.2" },
      { destination: "2001:db8::/32" },
    ],
    links: [{ name: "dsl", family: 4, address: "192.0.2.7", table: 101 }],
    nat: false,
    mssClamp: true,
  });
});

Deno.test("networkPlan() routes the networks of clients that the tunnel's own do not cover", () => {
  const config = server(["10.44.43.1/32", "198.51.100.0/24", "192.0.2.0/25", "0.0.0.0/0"], {
    address: "10.44.43.2/24",
    routes: ["192.0.2.0/24"],
  });
  const routes = networkPlan(config, "agg0", 1434, []).routes;
  assertEquals(routes, [{ destination: "192.0.2.0/24" }, { destination: "198.51.100.0/24" }]);
});

Deno.test("contains() compares whole prefixes of one family", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.255.1.1", true],
    ["10.44.43.2/30", "10.44.43.1/32", true],
    ["10.44.43.2/30", "10.44.43.4", false],
    ["10.44.43.0/30", "10.44.43.0/29", false],
    ["10.44.43.1", "10.44.43.1", true],
    ["0.0.0.0/0", "192.0.2.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["nonsense", "10.0.0.1", false],
  ];
  for (const [outer, inner, is] of cases) {
    assertEquals(contains(outer, inner), is, `${outer} ${inner}`);
  }
});

Deno.test("familyOfAddress() reads addresses with and without a length or zone", () => {
  assertEquals(familyOfAddress("192.0.2.1/24"), 4);
  assertEquals(familyOfAddress("fe80::1%eth0"), 6);
  assertEquals(familyOfAddress("example.org"), undefined);
});

Deno.test("openFiles() counts the sockets and as many clients as the control socket serves", () => {
  assertEquals(CONTROL_CLIENTS, MAX_CLIENTS);
  const files = [1, 5].map((count) => openFiles(client(Array(count).fill(LINK))));
  assertEquals(files[1]! - files[0]!, 4);
  assertEquals(files[0]! > 1 + CONTROL_CLIENTS, true);
});
