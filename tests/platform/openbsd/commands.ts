/**
 * The documented grammar of the commands that set up a tunnel, as a parser that throws on anything
 * else: ifconfig(8), route(8), pfctl(8), sysctl(8) and pf.conf(5) of OpenBSD 7.8, as far as this
 * program uses them. Where the programs or the kernel are stricter than their manuals, the bounds
 * are theirs: sbin/ifconfig/ifconfig.c, sbin/pfctl/parse.y, sys/net/if_tun.c.
 *
 * @module
 */

import { parseAddress, parsePrefix } from "../../../src/address.ts";

/** IFNAMSIZ of sys/net/if.h, with the NUL. */
const NAME_BYTES = 16;
/** RT_TABLEID_MAX of sys/sys/socket.h. */
const MAX_TABLE = 255;
/** TUNMRU of sys/net/if_tun.h and ETHERMIN of sys/netinet/if_ether.h: tun_dev_ioctl(). */
const MTU: Range = [46, 16_384];

/** A command in parts. */
export type Parsed = Readonly<Record<string, string>>;

/** Smallest and largest. */
type Range = readonly [least: number, most: number];

/** Words that are read one after the other. */
class Words {
  readonly #words: string[];

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  get isEmpty(): boolean {
    return this.#words.length === 0;
  }

  next(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new Error(`Expected ${what}, found the end`);
    return word;
  }

  /** Takes the next word if it is one of `words`. */
  take(...words: readonly string[]): string | undefined {
    return words.includes(this.#words[0] ?? "") ? this.#words.shift() : undefined;
  }

  /** Takes the next word when it looks like `pattern`. */
  takeMatch(pattern: RegExp): string | undefined {
    return this.takeIf((word) => pattern.test(word));
  }

  /** Takes the next word when it is `wanted`. */
  takeIf(wanted: (word: string) => boolean): string | undefined {
    return wanted(this.#words[0] ?? "") ? this.#words.shift() : undefined;
  }

  match(what: string, pattern: RegExp): string {
    const word = this.next(what);
    if (!pattern.test(word)) throw new Error(`Expected ${what}, found ${word}`);
    return word;
  }

  /** Reads a number that strtonum(3) accepts, without leading zeros. */
  number(what: string, [least, most]: Range): string {
    const word = this.match(what, /^(0|[1-9]\d{0,8})$/);
    if (Number(word) < least || Number(word) > most) throw new Error(`${what} of ${word}`);
    return word;
  }

  /** Reads the name of an interface: letters, then its number. */
  interface(): string {
    const word = this.match("an interface", /^[a-z]+(0|[1-9]\d*)$/);
    if (word.length >= NAME_BYTES) throw new Error(`Too long for an interface: ${word}`);
    return word;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) {
      const found = this.next(word);
      if (found !== word) throw new Error(`Expected ${word}, found ${found}`);
    }
  }

  end(): void {
    if (!this.isEmpty) throw new Error(`Expected the end, found ${this.#words.join(" ")}`);
  }
}

/** Parses one command. */
export function parseCommand(command: readonly string[]): Parsed {
  const words = new Words(command);
  const program = words.next("a program");
  const parser = PARSERS[program];
  if (!parser) throw new Error(`No grammar of ${program}`);
  const parsed = parser(words);
  words.end();
  return { program, ...parsed };
}

const PARSERS: Readonly<Record<string, (words: Words) => Record<string, string>>> = {
  ifconfig: parseIfconfig,
  route: parseRoute,
  pfctl: parsePfctl,
  // `cp [-p] source target`, `rm [-f] file`, `tee file`
  cp(words): Record<string, string> {
    words.expect("-p");
    return { from: words.match("a file", /^\//), to: words.match("a file", /^\//) };
  },
  rm(words): Record<string, string> {
    words.expect("-f");
    return { file: words.match("a file", /^\//) };
  },
  tee: (words) => ({ file: words.match("a file", /^\//) }),
  sysctl(words): Record<string, string> {
    words.take("-q");
    const setting = words.match("a variable", /^net\.(inet\.ip|inet6\.ip6)\.forwarding=[0-2]$/);
    const [variable = "", value = ""] = setting.split("=");
    return { variable, value };
  },
};

/**
 * `ifconfig interface [address_family] [address [dest_address]] [parameters]`; of the parameters
 * `alias` may come first, as hostname.if(5) writes it.
 */
function parseIfconfig(words: Words): Record<string, string> {
  const parsed: Record<string, string> = { interface: words.interface() };
  const family = words.take("inet", "inet6");
  if (family) {
    parsed.family = family;
    if (words.take("alias")) parsed.alias = "";
    const isAddress = words.takeMatch(/^[\d.]+$|:/);
    if (isAddress !== undefined) readAddress(words, family, isAddress, parsed);
    else if (parsed.alias !== undefined) throw new Error("alias of nothing");
  }
  const parameters = readParameters(words, parsed);
  checkParameters(parsed, parameters);
  if (parameters.length > 0) parsed.parameters = parameters.join(" ");
  return parsed;
}

/** Reads what follows the addresses. Each parameter may occur once. */
function readParameters(words: Words, parsed: Record<string, string>): string[] {
  const parameters: string[] = [];
  while (!words.isEmpty) {
    const parameter = words.match(
      "a parameter",
      /^(mtu|rdomain|up|down|delete|anycast|eui64|-inet6)$/,
    );
    if (parameter in parsed || parameters.includes(parameter)) throw new Error(`Two ${parameter}`);
    if (parameter === "mtu") parsed.mtu = words.number("MTU", MTU);
    else if (parameter === "rdomain") parsed.rdomain = words.number("rdomain", [0, MAX_TABLE]);
    else parameters.push(parameter);
  }
  return parameters;
}

/** What the manual says in words. */
function checkParameters(parsed: Record<string, string>, parameters: readonly string[]): void {
  const { family, address } = parsed;
  const says = (parameter: string): boolean => parameters.includes(parameter);
  if (says("delete") && address === undefined) {
    throw new Error("delete without an address takes the first one");
  }
  if (says("delete") && (parsed.alias !== undefined || hasMask(parsed) || parameters.length > 1)) {
    throw new Error("delete wants an address and nothing else");
  }
  if ((says("anycast") || says("eui64")) && family !== "inet6") throw new Error("inet6 only");
  if (says("anycast") && address === undefined) throw new Error("anycast is said of an address");
  if (says("-inet6") && family !== undefined) throw new Error("-inet6 says the family itself");
  if (address !== undefined && !says("delete") && !hasMask(parsed)) {
    throw new Error("An address without netmask or prefixlen has one by its class");
  }
  const isSaid = parameters.length > 0 || address !== undefined || "mtu" in parsed ||
    "rdomain" in parsed;
  if (!isSaid) throw new Error("A command that changes nothing");
}

function readAddress(
  words: Words,
  family: string,
  address: string,
  parsed: Record<string, string>,
): void {
  const bytes = family === "inet" ? 4 : 16;
  parsed.address = checkAddress(address, bytes);
  const destination = words.takeMatch(/^[\d.]+$|:/);
  if (destination !== undefined) parsed.destination = checkAddress(destination, bytes);
  const mask = words.take("netmask", "prefixlen");
  if (mask === "prefixlen") parsed.prefixlen = words.number("prefixlen", [0, bytes * 8]);
  else if (mask === "netmask") parsed.netmask = readNetmask(words, family);
  if (parsed.destination === parsed.address) throw new Error("Two ends with one address");
  // SIOCAIFADDR_IN6 refuses an other end with any other prefix.
  if (family === "inet6" && parsed.destination !== undefined && parsed.prefixlen !== "128") {
    throw new Error("An IPv6 address with another end has a prefix of 128");
  }
}

function hasMask(parsed: Record<string, string>): boolean {
  return parsed.netmask !== undefined || parsed.prefixlen !== undefined;
}

/** "The subnet field should be contiguous with the network portion." */
function readNetmask(words: Words, family: string): string {
  if (family !== "inet") throw new Error("A netmask in dots is one of IPv4");
  const netmask = addressOf(words, 4);
  const bits = netmask.split(".").map((part) => Number(part).toString(2).padStart(8, "0")).join("");
  if (!/^1*0*$/.test(bits)) throw new Error(`netmask ${netmask} has holes`);
  return netmask;
}

/** Reads a network: no bit of a host is set. */
function readNetwork(words: Words, bytes: number): string {
  const text = words.next("a network");
  const prefix = parsePrefix(text);
  if (prefix?.bytes.length !== bytes || !text.includes("/")) throw new Error(`network ${text}`);
  if (`${prefix.toNetwork()}` !== text) throw new Error(`${text} has bits of a host`);
  return text;
}

/** `route [-dnqtv] [-T rtable] command [[modifiers] args]`: `add|delete [-inet|-inet6] destination gateway` */
function parseRoute(words: Words): Record<string, string> {
  const parsed: Record<string, string> = {};
  words.take("-n");
  if (words.take("-T")) parsed.table = words.number("table", [0, MAX_TABLE]);
  parsed.command = words.match("a command", /^(add|delete|nameserver)$/);
  if (parsed.command === "nameserver") return { ...parsed, ...readNameServers(words) };
  const bytes = words.match("a family", /^-inet6?$/) === "-inet" ? 4 : 16;
  // An address alone is a route to a host.
  const isHost = (text: string): boolean => parseAddress(text)?.bytes.length === bytes;
  parsed.destination = words.takeIf(isHost) ?? readNetwork(words, bytes);
  parsed.gateway = addressOf(words, bytes);
  return parsed;
}

/** `nameserver interface [address ...]`: of the addresses nameserver() of sbin/route takes five. */
function readNameServers(words: Words): Record<string, string> {
  const name = words.interface();
  const addresses: string[] = [];
  while (!words.isEmpty) {
    const address = words.next("an address");
    if (parseAddress(address) === undefined) throw new Error(`Not an address: ${address}`);
    addresses.push(address);
  }
  if (addresses.length > 5) throw new Error("More than five name servers");
  return { interface: name, addresses: addresses.join(" ") };
}

/** `pfctl [-q] [-a anchor] [-F modifier | -f file]` */
function parsePfctl(words: Words): Record<string, string> {
  words.take("-q");
  words.expect("-a");
  // Names that begin with "_" are pf's own.
  const anchor = words.match("an anchor", /^[a-z0-9]\w*(\/[a-z0-9][\w-]*)*$/i);
  if (words.take("-f")) return { anchor, file: words.match("a file", /^(-|\/\S+)$/) };
  words.expect("-F");
  return { anchor, flush: words.match("a modifier", /^rules$/) };
}

function addressOf(words: Words, bytes: number): string {
  return checkAddress(words.next("an address"), bytes);
}

function checkAddress(text: string, bytes: number): string {
  if (parseAddress(text)?.bytes.length !== bytes) throw new Error(`Not an address: ${text}`);
  return text;
}

/** Parses a rule or a table of pf.conf(5). */
export function parseRule(line: string): Parsed {
  const words = new Words(line.split(" "));
  const what = words.match("a rule", /^(match|pass|block|table)$/);
  const parsed = {
    match: parseMatch,
    pass: parsePass,
    block: parseBlock,
    table: parseTable,
  }[what]!(words);
  words.end();
  return parsed;
}

/** `table <name> { address, ... }` */
function parseTable(words: Words): Parsed {
  words.expect("<local>");
  const addresses = readList(words, "an address", /^(self|[\da-f.:]+(\/\d+)?)$/);
  for (const text of addresses) {
    const network = parsePrefix(text);
    const isHost = text === "self" || parseAddress(text) !== undefined;
    if (!isHost && `${network?.toNetwork()}` !== text) throw new Error(`network ${text}`);
  }
  return { table: addresses.join(" ") };
}

/** `block return out quick [on [!] interface] from any to [!] <table>` */
function parseBlock(words: Words): Parsed {
  words.expect("return", "out", "quick");
  const isLimited = words.take("on") !== undefined;
  if (isLimited) words.expect("!");
  const on = isLimited ? words.interface() : "";
  words.expect("from", "any", "to", "!", "<local>");
  return { block: on };
}

/** `pass out quick [af] proto protocol [hosts | icmp6-type list]` */
function parsePass(words: Words): Parsed {
  words.expect("out", "quick");
  const family = words.take("inet", "inet6");
  words.expect("proto");
  const isBraced = words.takeIf((word) => word === "{") !== undefined;
  if (isBraced) {
    words.expect("tcp,", "udp", "}", "to", "any", "port");
    return { pass: "names", ports: readList(words, "a port", /^[1-9]\d*$/).join(" ") };
  }
  const protocol = words.match("a protocol", /^(udp|icmp6)$/);
  if (protocol === "icmp6") {
    if (family !== "inet6") throw new Error("icmp6 is of inet6");
    words.expect("icmp6-type");
    const TYPE = /^(routersol|routeradv|neighbrsol|neighbradv)$/;
    return { pass: protocol, types: readList(words, "a type", TYPE).join(" ") };
  }
  if (family === undefined) throw new Error("An address has a family");
  if (words.take("from")) {
    words.expect("any", "port");
    const from = words.number("port", [1, 65_535]);
    words.expect("to", "any", "port");
    return { pass: protocol, family, from, port: words.number("port", [1, 65_535]) };
  }
  words.expect("to");
  const address = addressOf(words, family === "inet" ? 4 : 16);
  words.expect("port");
  return { pass: protocol, family, address, port: words.number("port", [1, 65_535]) };
}

/** `{ item, item }` */
function readList(words: Words, what: string, pattern: RegExp): string[] {
  words.expect("{");
  const items: string[] = [];
  for (let isLast = false; !isLast;) {
    const word = words.next(what);
    isLast = !word.endsWith(",");
    const item = isLast ? word : word.slice(0, -1);
    if (!pattern.test(item)) throw new Error(`Expected ${what}, found ${item}`);
    items.push(item);
  }
  words.expect("}");
  return items;
}

/** `match [in|out] on interface af [proto tcp] hosts [nat-to redirhost | scrub (max-mss number)]` */
function parseMatch(words: Words): Parsed {
  const direction = words.take("in", "out") ?? "both";
  words.expect("on");
  // A group does not end with a digit.
  const on = words.takeMatch(/^[a-z]{1,15}$/) ?? words.interface();
  const family = words.match("a family", /^inet6?$/);
  const protocol = words.take("proto") && words.match("a protocol", /^tcp$/);
  const hosts = words.take("all") ? "all" : readHosts(words, family);
  if (words.take("nat-to")) {
    if (direction !== "out") throw new Error("nat-to wants a direction");
    const to = words.match("an address", /^\(egress:0\)$/);
    return { on, family, hosts, nat: to };
  }
  words.expect("scrub", "(max-mss");
  const mss = words.match("a number", /^[1-9]\d*\)$/).slice(0, -1);
  if (Number(mss) > 65_535) throw new Error(`max-mss ${mss}`);
  if (protocol === undefined) throw new Error("max-mss is about TCP");
  return { on, family, hosts, mss };
}

function readHosts(words: Words, family: string): string {
  words.expect("from");
  const network = readNetwork(words, family === "inet" ? 4 : 16);
  words.expect("to", "any");
  return network;
}
