/**
 * ifconfig(8), route(8), pfctl(8) and sysctl(8) over the interfaces of a {@linkcode FakeHost}, with
 * what the kernel does by itself: flags that follow the device and the addresses, link-local
 * addresses, duplicate detection, routes that disappear with their address and know whether the
 * interface is up.
 *
 * After sys/net/if_tun.c (tun_dev_open, tun_dev_close, tun_ioctl), sys/net/if.c (if_up, if_down,
 * if_setrdomain), sys/net/route.c (rtrequest, rt_if_track), sys/netinet/in.c, sys/netinet6/in6.c,
 * sys/netinet6/in6_ifattach.c and sbin/ifconfig/ifconfig.c of OpenBSD 7.8.
 *
 * @module
 */

import type { CommandOutput } from "../../../src/platform/command_output.ts";
import type { CommandResult } from "../../../src/platform/run_changes.ts";
import { address as addressOf, prefix } from "../../addresses.ts";
import { parseCommand, type Parsed } from "./commands.ts";
import type { FakeTun } from "./fake_tun.ts";
import type { FakeHost } from "./fake_world.ts";

/** Smallest MTU of IPv6, RFC 8200 section 5. */
const IPV6_MIN_MTU = 1280;

/** An address of an interface. */
export interface FakeAddress {
  readonly address: string;
  readonly length: number;
  readonly peer: string | undefined;
  readonly isAnycast: boolean;
  isTentative: boolean;
  isDuplicated: boolean;
}

/** A route through an interface. */
interface FakeRoute {
  readonly table: number;
  readonly destination: string;
  /** The address it disappears with. */
  readonly owner: string;
  readonly isStatic: boolean;
  readonly gateway?: string;
  isUp: boolean;
}

/** A tun(4). */
export class FakeInterface {
  isUp = false;
  isRunning = false;
  hasLink = false;
  rdomain = 0;
  addresses: FakeAddress[] = [];
  routes: FakeRoute[] = [];
  wasOpen = false;

  constructor(readonly name: string, readonly tun: FakeTun) {}
}

class Failure extends Error {}

/** The network commands of one host. */
export class FakeNetwork {
  readonly interfaces: Map<string, FakeInterface> = new Map();
  /** Existing routing domains. */
  readonly domains: Set<number> = new Set([0]);
  readonly switches: Record<string, string> = {
    "net.inet.ip.forwarding": "1",
    "net.inet6.ip6.forwarding": "0",
  };
  /** What resolvd(8) was told. */
  nameServers = "";
  /** Rules in the anchor. */
  rules = "";

  constructor(readonly host: FakeHost) {}

  /** Makes an interface that stays: `ifconfig tunN create`. */
  create(name: string): FakeInterface {
    this.host.createTun(name);
    this.sync();
    return this.interfaces.get(name)!;
  }

  /** Runs a command as root. */
  run(command: readonly string[], input = ""): CommandResult {
    this.sync();
    try {
      this.#execute(parseCommand(command), input);
      return { success: true, message: "" };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { success: false, message: error.message };
    }
  }

  /** Runs a command that only looks. */
  read(command: readonly string[]): CommandOutput {
    this.sync();
    const [program, ...args] = command;
    const line = command.join(" ");
    if (program === "route") return { success: true, output: this.#routes(args) };
    const output = program === "ifconfig" ? this.#show(args) : {
      "pfctl -s info": "Status: Enabled for 0 days 00:00:00   Debug: err\n",
      "pfctl -q -a aggvpn/tun0 -s rules": this.rules,
      "pfctl -s rules": 'anchor "aggvpn/*" all\n',
      [`sysctl -n ${args.at(-1)}`]: `${this.switches[args.at(-1)!]}\n`,
    }[line];
    return output === undefined ? { success: false, output: "" } : { success: true, output };
  }

  /** Everything that could turn out to be changed. */
  snapshot(): unknown {
    this.sync();
    const { switches, rules, nameServers } = this;
    const interfaces = [...this.interfaces.values()].map((one) => ({
      ...one,
      tun: one.tun.mtu,
      wasOpen: false,
      routes: one.routes.map((route) => JSON.stringify(route)).sort(),
      // The order matters within a family only.
      addresses: [false, true].map((ipv6) =>
        one.addresses.filter(({ address }) => address.includes(":") === ipv6)
      ),
    }));
    return structuredClone({ interfaces, switches, rules, nameServers });
  }

  /** A second without an answer has passed: nobody else has the addresses. */
  endDuplicateDetection(): void {
    for (const { addresses } of this.interfaces.values()) {
      for (const address of addresses) address.isTentative = false;
    }
  }

  /** What opening and closing devices has done since the last look. */
  sync(): void {
    for (const [name, tun] of this.host.tuns) {
      if (!this.interfaces.has(name)) this.interfaces.set(name, new FakeInterface(name, tun));
    }
    for (const one of this.interfaces.values()) {
      if (!this.host.tuns.has(one.name)) {
        this.interfaces.delete(one.name);
      } else if (one.tun.isOpen !== one.wasOpen) {
        one.wasOpen = one.tun.isOpen;
        one.isUp = one.isRunning = one.hasLink = one.tun.isOpen;
        track(one);
      }
    }
  }

  #execute(parsed: Parsed, input: string): void {
    if (parsed.program === "ifconfig") this.#ifconfig(parsed);
    else if (parsed.command === "nameserver") this.nameServers = parsed.addresses!;
    else if (parsed.program === "route") this.#route(parsed);
    else if (parsed.program === "sysctl") this.switches[parsed.variable!] = parsed.value!;
    else this.rules = parsed.flush === undefined ? input : "";
  }

  #ifconfig(parsed: Parsed): void {
    const one = this.interfaces.get(parsed.interface!);
    if (!one) throw new Error(`ifconfig would make ${parsed.interface}`);
    if (parsed.family === "inet6") attachIpv6(one);
    if (parsed.rdomain !== undefined) this.#setDomain(one, Number(parsed.rdomain));
    if (parsed.mtu !== undefined) one.tun.mtu = Number(parsed.mtu);
    const parameters = parsed.parameters?.split(" ") ?? [];
    for (const parameter of parameters) {
      if (parameter === "up" || parameter === "down") setUp(one, parameter === "up");
      if (parameter === "-inet6") purge(one, ({ address }) => address.includes(":"));
    }
    if (parsed.address === undefined) return;
    if (parameters.includes("delete")) return deleteAddress(one, parsed.address);
    const first = one.addresses.find(({ address }) => !address.includes(":"));
    if (parsed.alias === undefined && parsed.family === "inet" && first) {
      deleteAddress(one, first.address);
    }
    addAddress(one, parsed, parameters.includes("anycast"));
  }

  /** if_setrdomain() */
  #setDomain(one: FakeInterface, rdomain: number): void {
    this.domains.add(rdomain);
    if (rdomain === one.rdomain) return;
    const { isUp } = one;
    if (isUp) setUp(one, false);
    purge(one, () => true);
    one.rdomain = rdomain;
    if (isUp) setUp(one, true);
  }

  #route({ command, table = "0", destination = "", gateway = "" }: Parsed): void {
    if (!this.domains.has(Number(table))) throw new Failure("no such table");
    const inDomain = [...this.interfaces.values()].filter((one) => one.rdomain === Number(table));
    const isIt = (route: FakeRoute): boolean => route.isStatic && route.destination === destination;
    const there = inDomain.find(({ routes }) => routes.some(isIt));
    if (command === "delete") {
      if (!there) throw new Failure("not in table");
      there.routes = there.routes.filter((route) => !isIt(route));
      return;
    }
    if (there) throw new Failure("File exists");
    const via = addressOf(gateway);
    for (const one of inDomain) {
      const reaches = one.routes.find((route) =>
        route.isUp && !route.isStatic && prefix(route.destination).covers(via)
      );
      if (!reaches) continue;
      addRoute(one, destination, reaches.owner, `${via}`);
      return;
    }
    throw new Failure("Network is unreachable");
  }

  /** `route -n -T TABLE show FAMILY` */
  #routes([, , table, , family = ""]: readonly string[]): string {
    return [...this.interfaces.values()].filter(({ rdomain }) => rdomain === Number(table))
      .map((one) => showRoutes(one, family)).join("");
  }

  #show([name = "", family]: readonly string[]): string | undefined {
    const shown = [...this.interfaces.values()].filter((one) =>
      /\d$/.test(name) ? one.name === name : one.name.startsWith(name)
    );
    return shown.length === 0 ? undefined : shown.map((one) => show(one, family)).join("");
  }
}

/** SIOCSIFFLAGS: only a change of the flag tells the routes. */
function setUp(one: FakeInterface, isUp: boolean): void {
  const changes = one.isUp !== isUp;
  one.isUp = one.isRunning = isUp;
  if (changes) track(one);
}

/** rt_if_track() */
function track(one: FakeInterface): void {
  for (const route of one.routes) route.isUp = one.isUp && one.hasLink;
}

function purge(one: FakeInterface, isGone: (address: FakeAddress) => boolean): void {
  const gone = one.addresses.filter(isGone).map(({ address }) => address);
  one.addresses = one.addresses.filter(({ address }) => !gone.includes(address));
  one.routes = one.routes.filter(({ owner }) => !gone.includes(owner));
}

function deleteAddress(one: FakeInterface, text: string): void {
  const address = `${addressOf(text)}`;
  if (!one.addresses.some((own) => own.address === address)) {
    throw new Failure("SIOCDIFADDR: Can't assign requested address");
  }
  purge(one, (own) => own.address === address);
}

/** SIOCIFAFATTACH: in6_ifattach() */
function attachIpv6(one: FakeInterface): void {
  if (one.tun.mtu < IPV6_MIN_MTU) throw new Failure("SIOCIFAFATTACH: Invalid argument");
  const address = `fe80::fce1:baff:fed0:${one.name.slice(3)}`;
  if (one.addresses.some((own) => own.address === address)) return;
  append(one, { address, length: 64, peer: undefined, isAnycast: false });
  addRoute(one, "fe80::/64", address);
}

/** SIOCAIFADDR, SIOCAIFADDR_IN6 */
function addAddress(one: FakeInterface, parsed: Parsed, isAnycast: boolean): void {
  const address = `${addressOf(parsed.address!)}`;
  const peer = parsed.destination && `${addressOf(parsed.destination)}`;
  const ipv6 = parsed.family === "inet6";
  const length = ipv6 ? Number(parsed.prefixlen) : bitsOf(parsed.netmask!);
  const before = one.addresses.find((own) => own.address === address);
  if (before && ipv6 && before.length !== length) {
    throw new Failure("SIOCAIFADDR: Invalid argument");
  }
  // in6if_do_dad() is asked before the address brings the interface up.
  const isTentative = before?.isTentative ??
    (ipv6 && !isAnycast && one.isUp && one.isRunning);
  const next = { address, length, peer: peer ?? before?.peer, isAnycast };
  if (before) {
    one.routes = one.routes.filter((route) => route.isStatic || route.owner !== address);
    one.addresses = one.addresses.filter((own) => own !== before);
  }
  append(one, next, isTentative);
  if (next.peer !== undefined) addRoute(one, `${next.peer}/${ipv6 ? 128 : 32}`, address);
  if (ipv6 && length < 128) {
    addRoute(one, `${prefix(`${address}/${length}`).toNetwork()}`, address);
  }
}

/** A point-to-point interface is notified of every address, and tun_ioctl() sets the flags. */
function append(
  one: FakeInterface,
  address: Omit<FakeAddress, "isTentative" | "isDuplicated">,
  isTentative = false,
): void {
  one.isUp = one.isRunning = true;
  one.addresses.push({ ...address, isTentative, isDuplicated: false });
}

/** rtrequest() */
function addRoute(
  one: FakeInterface,
  destination: string,
  owner: string,
  gateway?: string,
): void {
  const isUp = one.isUp && one.hasLink;
  const isStatic = gateway !== undefined;
  const via = isStatic ? { gateway } : {};
  one.routes.push({ table: one.rdomain, destination, owner, isStatic, ...via, isUp });
}

/** What route(8) prints: p_rtentry() and netname4() of sbin/route/show.c. */
function showRoutes(one: FakeInterface, family: string): string {
  return one.routes.filter(({ destination }) => destination.includes(":") === (family === "-inet6"))
    .map(({ destination, gateway }) => {
      const short = destination.replace(/(?:\.0){1,3}(?=\/\d)/, "");
      return `${short.padEnd(18)} ${gateway ?? one.name} UGS 0 0 - 8 ${one.name}\n`;
    }).join("");
}

function bitsOf(netmask: string): number {
  const hostBits = (part: string): number => 32 - Math.clz32(~Number(part) & 0xff);
  return netmask.split(".").reduce((bits, part) => bits + 8 - hostBits(part), 0);
}

/** What ifconfig(8) prints: status(), in_status() and in6_alias(). */
function show(one: FakeInterface, family: string | undefined): string {
  const flags = [
    one.isUp && "UP",
    "POINTOPOINT",
    one.isRunning && "RUNNING",
    "MULTICAST",
  ].filter((flag) => flag !== false);
  const number = 0x8010 | (one.isUp ? 1 : 0) | (one.isRunning ? 0x40 : 0);
  const rdomain = one.rdomain === 0 ? "" : ` rdomain ${one.rdomain}`;
  const lines = [
    `${one.name}: flags=${number.toString(16)}<${flags}>${rdomain} mtu ${one.tun.mtu}`,
    "\tdescription: aggvpn",
    "\tindex 7 priority 0 llprio 3",
    "\tgroups: tun",
    `\tstatus: ${one.hasLink ? "active" : "down"}`,
    ...one.addresses.filter(({ address }) => {
      return family === undefined || address.includes(":") === (family === "inet6");
    }).map(showAddress),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function showAddress({ address, length, peer, ...own }: FakeAddress): string {
  if (!address.includes(":")) {
    const mask = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
    return `\tinet ${address} --> ${peer ?? "0.0.0.0"} netmask 0x${mask.toString(16)}`;
  }
  const isLocal = address.startsWith("fe80:");
  return `\tinet6 ${address}${isLocal ? "%tun0" : ""} --> ${peer ?? ""} prefixlen ${length}` +
    (own.isAnycast ? " anycast" : "") + (own.isTentative ? " tentative" : "") +
    (own.isDuplicated ? " duplicated" : "") + (isLocal ? " scopeid 0x7" : "");
}
