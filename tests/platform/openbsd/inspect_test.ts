import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ReadCommand } from "../../../src/platform/command_output.ts";
import { inspectHost } from "../../../src/platform/openbsd/inspect.ts";
import type { HostFinding, HostNeeds } from "../../../src/platform/platform.ts";
import { address, prefix } from "../../addresses.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway } from "./golden.ts";
import { reader } from "./host_outputs.ts";

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

function inspect(
  needs: Partial<HostNeeds>,
  options: {
    libc?: FakeOptions;
    read?: ReadCommand;
    hasLibcrypto?: boolean;
    calls?: readonly HostFinding[];
    executable?: string;
    devices?: readonly string[];
  } = {},
): HostFinding[] {
  const libc = new FakeLibc(gateway(new FakeWorld()), options.libc);
  const devices = options.devices ?? ["/dev/tun0"];
  return inspectHost({
    libc,
    read: options.read ?? reader(),
    hasLibcrypto: options.hasLibcrypto ?? true,
    calls: options.calls ?? [],
    executable: options.executable ?? "/usr/local/bin/deno",
    exists: (path) => devices.includes(path),
  }, { ...NOTHING, ...needs });
}

/** `severity: message` of each finding. */
function texts(findings: readonly HostFinding[]): string[] {
  return findings.map(({ severity, message }) => `${severity}: ${message}`);
}

const LINK = { name: "dsl", family: 4, remotes: [] } as const;

Deno.test("inspectHost() finds nothing on a gateway that has everything", () => {
  const findings = inspect({
    tunName: "tun0",
    links: [{ ...LINK, rdomain: 1, address: address("198.51.100.10") }, LINK],
    listen: [{ host: address("192.168.7.1"), port: 5080 }],
    nat: true,
    mssClamp: true,
    forwarding: true,
  });
  assertEquals(findings, []);
});

Deno.test("inspectHost() finds links whose rdomain, interface, route or address is missing", () => {
  const findings = inspect({
    links: [
      { ...LINK, rdomain: 7 },
      { ...LINK, rdomain: 2 },
      { ...LINK, rdomain: 1, address: address("198.51.100.99") },
      { ...LINK, rdomain: 1, family: 6 },
    ],
  });
  assertEquals(texts(findings), [
    `error: Link "dsl": rdomain 7 does not exist`,
    `error: Link "dsl": no interface is in rdomain 2`,
    `warning: Link "dsl": no default route for IPv4 in rdomain 2`,
    `error: Link "dsl": Cannot bind to 198.51.100.99:0 in rdomain 1: Can't assign requested address`,
    `warning: Link "dsl": no default route for IPv6 in rdomain 1`,
  ]);
  assertEquals(findings[0]!.hint, `Put its interface there, such as "ifconfig em0 rdomain 7".`);
  assertMatch(findings[2]!.hint!, /route -n -T 2 add -inet default/);
});

Deno.test("inspectHost() finds a missing device, privilege, libcrypto and an impossible name", () => {
  assertEquals(texts(inspect({}, { devices: [] })), ["error: No /dev/tun0 on this host"]);
  assertEquals(texts(inspect({ tunName: "tun7" })), ["error: No /dev/tun7 on this host"]);
  assertStringIncludes(inspect({ tunName: "tun7" })[0]!.hint!, "sh MAKEDEV tun7");
  assertEquals(texts(inspect({ tunName: "agg0" })), [
    `error: tunnel.interface cannot be "agg0" here`,
  ]);
  assertEquals(texts(inspect({}, { libc: { uid: 1000 } })), [
    "error: No privilege to set up a network",
  ]);
  assertStringIncludes(
    texts(inspect({}, { hasLibcrypto: false }))[0]!,
    "warning: Cannot load libcrypto.so",
  );
});

Deno.test("inspectHost() tells of a process that was started in another rdomain", () => {
  const findings = inspect({ links: [{ ...LINK, rdomain: 1 }] }, {
    libc: { rtable: 2, uid: 1000 },
  });
  assertStringIncludes(texts(findings)[1]!, "warning: Started in rdomain 2");
  assertStringIncludes(findings[1]!.hint!, `"route -T 2 exec"`);
  assertStringIncludes(texts(findings)[2]!, "Cannot use rdomain 1 from rdomain 2");
});

Deno.test("inspectHost() says when the login class allows too few open files", () => {
  const limit = (text: string): HostFinding[] =>
    inspect({}, { read: reader({ "sh -c ulimit -n": text }) });
  assertEquals(texts(limit("105\n")), [
    "warning: Only 105 files may be open here, and this tunnel may need 106",
  ]);
  assertStringIncludes(limit("105\n")[0]!.hint!, "openfiles-max");
  assertEquals([limit("106\n"), limit("unlimited\n"), limit("")], [[], [], []]);
});

Deno.test("inspectHost() says what NAT and the clamp need of pf, and other hosts of forwarding", () => {
  const noPf = reader({
    "pfctl -s info": "Status: Disabled\n",
    "pfctl -s rules": "pass all flags S/SA\n",
  });
  assertEquals(texts(inspect({ nat: true }, { read: noPf })), [
    "error: pf is off, or cannot be asked without root: nothing can translate addresses (tunnel.nat)",
    'error: pf.conf has no anchor "aggvpn/*" to translate addresses (tunnel.nat)',
  ]);
  assertEquals(
    texts(inspect({ mssClamp: true }, { read: noPf })).map((text) => text.split(":")[0]),
    [
      "warning",
      "warning",
    ],
  );
  const still = reader({ "sysctl -n net.inet.ip.forwarding": "0\n" });
  assertEquals(inspect({ mssClamp: true }, { read: still }), []);
  assertStringIncludes(
    texts(inspect({ forwarding: true }, { read: still }))[0]!,
    "does not forward",
  );
});

Deno.test("inspectHost() warns of a port in use and of a file system without wxallowed", () => {
  const world = new FakeWorld();
  const libc = new FakeLibc(gateway(world));
  const listen = [{ host: address("192.168.7.1"), port: 5080 }];
  const host = {
    libc,
    read: reader(),
    hasLibcrypto: true,
    calls: [],
    executable: "/home/me/deno",
    exists: () => true,
  };
  libc.host.receivers.push({
    rdomain: 0,
    port: 5080,
    address: Uint8Array.of(192, 168, 7, 1),
    ipv6: false,
    queue: [],
  });
  const findings = inspectHost(host, { ...NOTHING, listen });
  assertEquals(texts(findings), [
    "warning: Listening: Cannot bind to 192.168.7.1:5080: Address already in use",
    "warning: /home/me/deno is on a file system without wxallowed",
  ]);
  assertMatch(findings[0]!.hint!, /fstat.*running aggvpn is no problem/);
});

Deno.test("inspectHost() survives a host on which no command can be run", () => {
  const read: ReadCommand = () => ({ success: false, output: "" });
  const findings = inspect({ links: [{ ...LINK, rdomain: 1 }], nat: true }, { read });
  assertEquals(texts(findings)[0], `error: Link "dsl": rdomain 1 does not exist`);
  assertEquals(findings.length, 3);
});

Deno.test("inspectHost() finds that IPv6 goes around the tunnel", () => {
  const found = (...routes: string[]): string[] => {
    const read: ReadCommand = (command) =>
      command.join(" ") === "route -n -T 0 show -inet6"
        ? { success: true, output: "default   fe80::1%em0   UGS   0  0  -  8 em0\n" }
        : reader()(command);
    const destinations = routes.map((text) => ({ destination: prefix(text) }));
    return texts(inspect({ plan: { ...NOTHING.plan, routes: destinations } }, { read }));
  };
  assertEquals(found("0.0.0.0/0"), [
    "warning: IPv6 goes around the tunnel: this host has a default route of it",
  ]);
  assertEquals([found("0.0.0.0/0", "::/0"), found("10.0.0.0/8")], [[], []]);
});

const HOST = {
  ifconfig: `em0: flags=8843<UP> rdomain 1 mtu 1500
\tinet 10.44.43.9 netmask 0xffffff00
em2: flags=8843<UP> mtu 1500
\tinet 192.168.7.1 netmask 0xffffff00 broadcast 192.168.7.255
tun0: flags=8051<UP,POINTOPOINT> mtu 1434
\tinet 192.168.7.9 --> 192.168.7.10 netmask 0xfffffffc
`,
  "route -n -T 0 show -inet": `Destination  Gateway  Flags  Refs  Use  Mtu  Prio Iface
0/1          10.44.43.2        UGS  0  0  -  8 tun0
128/1        192.168.7.254     UGS  0  0  -  8 em2
10.60/16     192.168.7.254     UGS  0  0  -  8 em2
192.168.7/24 192.168.7.1       UCn  0  0  -  4 em2
`,
};

Deno.test("inspectHost() finds routes and networks that are in the way of the tunnel's", () => {
  const plan = (addresses: string[], routes: string[], gateway?: string): HostNeeds["plan"] => ({
    interface: "tun0",
    addresses: addresses.map((text) => prefix(text)),
    routes: routes.map((text) => ({
      destination: prefix(text),
      ...gateway !== undefined && { gateway: address(gateway) },
    })),
  });
  const find = (needs: HostNeeds["plan"]): string[] =>
    texts(inspect({ plan: needs }, { read: reader(HOST) }));
  assertEquals(find(plan([], ["0.0.0.0/0", "10.60.0.0/16", "192.168.7.0/24", "10.0.0.0/8"])), [
    'error: Cannot route 128.0.0.0/1 into the tunnel: this host has "128/1 192.168.7.254 em2"',
    'error: Cannot route 10.60.0.0/16 into the tunnel: this host has "10.60/16 192.168.7.254 em2"',
    'error: Cannot route 192.168.7.0/24 into the tunnel: this host has "192.168.7/24 192.168.7.1 em2"',
  ]);
  assertEquals(find(plan([], ["10.60.0.0/16"], "192.168.7.254")), [], "the same way may stay");
  assertEquals(find(plan(["192.168.7.129/25", "10.44.43.1/30"], [])), [
    `warning: The tunnel's network 192.168.7.128/25 overlaps 192.168.7.1/24 of "em2"`,
  ]);
});

Deno.test("inspectHost() says what the guard needs of pf, and no more that IPv6 leaks", () => {
  const noPf = reader({ "pfctl -s rules": "pass all flags S/SA\n" });
  assertEquals(texts(inspect({ leakGuard: true }, { read: noPf })), [
    'error: pf.conf has no anchor "aggvpn/*" to guard against leaks (tunnel.leak_guard)',
  ]);
  const read = reader({ "route -n -T 0 show -inet6": "default fe80::1%em0 UGS 0 0 - 8 em0\n" });
  const plan = {
    interface: "tun0",
    addresses: [],
    routes: [{ destination: prefix("0.0.0.0/0") }],
  };
  assertEquals(inspect({ plan }, { read }).length, 1);
  assertEquals(inspect({ plan, leakGuard: true }, { read }), []);
});
