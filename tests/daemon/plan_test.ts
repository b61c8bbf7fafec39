import { assertEquals } from "@std/assert";
import { Prefix } from "../../src/address.ts";
import type { ClientModeConfig, LinkConfig, ServerModeConfig } from "../../src/config/config.ts";
import { MAX_CLIENTS } from "../../src/control/server.ts";
import { MAX_CONNECTIONS } from "../../src/http/server.ts";
import {
  clientLink,
  CONTROL_CLIENTS,
  HTTP_CONNECTIONS,
  linkSocket,
  listenSocket,
  networkPlan,
  openFiles,
  policyOptions,
  tunnelMtu,
} from "../../src/daemon/plan.ts";
import type { LinkOptions } from "../../src/link_options.ts";
import { remoteOf } from "../../src/remote.ts";
import { address, prefix } from "../addresses.ts";

const LINK: LinkConfig = {
  name: "dsl",
  remotes: [{ host: address("192.0.2.1"), port: 5080 }],
  options: { tier: "primary", metered: false, timeoutUs: 1e6 },
};

const COMMON = {
  file: "home.toml",
  name: "home",
  control: "/run/aggvpn/home.sock",
  logLevel: "info",
  logFormat: "text",
  sandbox: true,
  rules: [],
} as const;
const TUNNEL = {
  routes: [],
  dns: [],
  leakGuard: false,
  nat: false,
  mssClamp: true,
  offload: true,
  schedule: "fast",
  duplicate: "off",
} as const;

/** The link with an upper bound for its packets, in bytes. */
function linkOf(mtuBytes: number): LinkConfig {
  return { ...LINK, options: { ...LINK.options, mtuBytes } };
}

function client(
  links: LinkConfig[],
  tunnel: Partial<ClientModeConfig["tunnel"]> = {},
): ClientModeConfig {
  return {
    ...COMMON,
    mode: "client",
    secret: {},
    servers: ["server"],
    links,
    tunnel: { ...TUNNEL, ...tunnel },
  };
}

function server(
  allowed: string[],
  tunnel: Partial<ServerModeConfig["tunnel"]> = {},
): ServerModeConfig {
  const clients = [{ name: "home", secret: {}, allowed: allowed.map(prefix) }];
  return { ...COMMON, mode: "server", listen: [], clients, tunnel: { ...TUNNEL, ...tunnel } };
}

Deno.test("linkSocket() takes over what is configured and leaves the rest to the system", () => {
  assertEquals(linkSocket(LINK, 4), { name: "dsl", family: 4 });
  assertEquals(
    linkSocket({
      ...LINK,
      bind: address("2001:db8::7"),
      localPort: 9,
      vrf: "red",
      mark: 5,
      rdomain: 2,
    }, 6),
    {
      name: "dsl",
      family: 6,
      address: address("2001:db8::7"),
      port: 9,
      interface: "red",
      mark: 5,
      rdomain: 2,
    },
  );
  assertEquals(linkSocket({ ...LINK, interface: "eth1", vrf: "red" }, 4).interface, "eth1");
});

Deno.test("listenSocket() is called by its address and port, and keeps the zone", () => {
  const sockets = ["192.0.2.1", "2001:db8::1", "fe80::1%em0"]
    .map((text) => listenSocket({ host: address(text), port: 5080 }));
  assertEquals(sockets, [
    { name: "192.0.2.1:5080", family: 4, address: address("192.0.2.1"), port: 5080 },
    { name: "[2001:db8::1]:5080", family: 6, address: address("2001:db8::1"), port: 5080 },
    { name: "[fe80::1%em0]:5080", family: 6, address: address("fe80::1%em0"), port: 5080 },
  ]);
});

Deno.test("tunnelMtu() fits the smallest link whole: 66 bytes less over IPv4, 86 over IPv6", () => {
  assertEquals(tunnelMtu(client([LINK]), [4]), 1434);
  assertEquals(tunnelMtu(client([LINK, LINK]), [4, 6]), 1414);
  assertEquals(tunnelMtu(client([linkOf(1492), linkOf(1400)]), [4, 4]), 1334);
  assertEquals(tunnelMtu(client([linkOf(9000)]), [4]), 1900);
  assertEquals(tunnelMtu(client([LINK], { mtu: 1280 }), [4]), 1280);
  assertEquals(tunnelMtu(server([]), [4, 6]), 1414);
});

Deno.test("tunnelMtu() fits the interfaces of the links too, and does not hope for more than 1500", () => {
  const mtu = (link: LinkConfig, ofInterface?: number): number =>
    tunnelMtu(client([link]), [4], [ofInterface]);
  assertEquals([mtu(LINK, undefined), mtu(LINK, 1492), mtu(LINK, 9000)], [1434, 1426, 1434]);
  assertEquals([mtu(linkOf(1400), 1492), mtu(linkOf(1600), 1492)], [1334, 1426]);
  assertEquals([mtu(linkOf(1600), 9000), mtu(linkOf(1600), undefined)], [1534, 1534]);
});

Deno.test("tunnelMtu() is one that an interface with IPv6 may have", () => {
  const links = [linkOf(1300)];
  const ipv6 = [
    { address6: prefix("2001:db8::1/64") },
    { gateway6: address("2001:db8::2") },
    { routes: [prefix("2001:db8:1::/48")] },
  ];
  assertEquals(ipv6.map((tunnel) => tunnelMtu(client(links, tunnel), [4])), [1280, 1280, 1280]);
  assertEquals(tunnelMtu(client(links, { address: prefix("10.44.43.1/30") }), [4]), 1234);
});

Deno.test("clientLink() bounds the packets of a link by what is configured and by its interface", () => {
  const remote = remoteOf(address("192.0.2.1").bytes, 5080);
  const mtu = (link: LinkConfig, ofInterface?: number): number | undefined =>
    clientLink(link, [remote], ofInterface).mtuBytes;
  assertEquals([mtu(linkOf(1400)), mtu(linkOf(1400), 1492), mtu(linkOf(1600), 1492)], [
    1400,
    1400,
    1492,
  ]);
  assertEquals([mtu(LINK, 9000), mtu(LINK)], [9000, undefined]);
  assertEquals("mtuBytes" in clientLink(LINK, [remote]), false);
});

Deno.test("clientLink() hands on every option of a link", () => {
  const options = {
    tier: "overflow",
    metered: true,
    spare: true,
    off: "for now",
    uploadBps: 1e6,
    downloadBps: 2e6,
    quotaBytes: 3e9,
    quotaDay: 15,
    whenUsedUp: "off",
    maxLatencyUs: 4e5,
    maxLoss: 0.5,
    timeoutUs: 6e6,
    mtuBytes: 700,
  } as const satisfies Required<LinkOptions>;
  assertEquals(clientLink({ ...LINK, options }, [undefined]), {
    ...options,
    name: "dsl",
    remotes: [undefined],
  });
});

Deno.test("policyOptions() hands the rules on, with what holds where none says it", () => {
  const rules = [
    {
      ports: [],
      links: ["dsl"],
      source: prefix("10.0.0.0/8"),
      destination: prefix("2001:db8::/32"),
    },
    { ports: [53], links: [], duplicate: "all" },
  ] as const;
  assertEquals(
    policyOptions({ ...client([LINK], { duplicate: "auto", schedule: "redundant" }), rules }),
    {
      rules: [
        {
          ports: [],
          links: ["dsl"],
          source: new Prefix(Uint8Array.of(10, 0, 0, 0), 8),
          destination: new Prefix(Uint8Array.fromHex("20010db8" + "00".repeat(12)), 32),
        },
        { ports: [53], links: [], duplicate: "all" },
      ],
      duplicate: "auto",
      schedule: "redundant",
    },
  );
});

Deno.test("networkPlan() gives each route the gateway of its family", () => {
  const config = client([{ ...LINK, bind: address("192.0.2.7"), table: 101 }], {
    address: prefix("10.44.43.1/30"),
    address6: prefix("fd00:44::1/64"),
    gateway: address("10.44.43.2"),
    routes: [prefix("198.51.100.0/24"), prefix("2001:db8::/32")],
  });
  assertEquals(networkPlan(config, "agg0", 1434, [4]), {
    interface: "agg0",
    mtu: 1434,
    addresses: [prefix("10.44.43.1/30"), prefix("fd00:44::1/64")],
    gateways: [address("10.44.43.2")],
    routes: [
      { destination: prefix("198.51.100.0/24"), gateway: address("10.44.43.2") },
      { destination: prefix("2001:db8::/32") },
    ],
    links: [{
      name: "dsl",
      family: 4,
      address: address("192.0.2.7"),
      table: 101,
      remotePorts: [5080],
    }],
    nat: false,
    mssClamp: true,
  });
});

Deno.test("networkPlan() routes the networks of clients that the tunnel's own do not cover", () => {
  const config = server(["10.44.43.1/32", "198.51.100.0/24", "192.0.2.0/25", "0.0.0.0/0"], {
    address: prefix("10.44.43.2/24"),
    routes: [prefix("192.0.2.0/24")],
  });
  const routes = networkPlan(config, "agg0", 1434, []).routes;
  assertEquals(routes, [{ destination: prefix("192.0.2.0/24") }, {
    destination: prefix("198.51.100.0/24"),
  }]);
});

Deno.test("openFiles() counts the sockets and as many clients as the control socket serves", () => {
  assertEquals(CONTROL_CLIENTS, MAX_CLIENTS);
  const files = [1, 5].map((count) => openFiles(client(Array(count).fill(LINK))));
  assertEquals(files[1]! - files[0]!, 4);
  assertEquals(files[0]! > 1 + CONTROL_CLIENTS, true);
});

Deno.test("openFiles() counts the connections of what is served by HTTP", () => {
  assertEquals(HTTP_CONNECTIONS, MAX_CONNECTIONS);
  const at = { host: address("127.0.0.1"), port: 9180 };
  const config = client([LINK]);
  const more = { ...config, metrics: at, dashboard: { listen: at, control: false } };
  assertEquals(openFiles(more) - openFiles(config), 2 * (HTTP_CONNECTIONS + 1));
});
