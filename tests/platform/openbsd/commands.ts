/**
 * The documented grammar of the commands that set a tunnel up, as a parser that throws at what is
 * not in it: ifconfig(8), route(8), pfctl(8), sysctl(8) and pf.conf(5) of OpenBSD, as far as
 * this program uses them.
 *
 * @module
 */

import { parseAddress, parsePrefix } from "../../../src/address.ts";

/** A command in parts. */
export type Parsed = Readonly<Record<string, string>>;

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

  /** Takes the next word when it is one of `words`. */
  take(...words: readonly string[]): string | undefined {
    return words.includes(this.#words[0] ?? "") ? this.#words.shift() : undefined;
  }

  /** Takes the next word when it looks like `pattern`. */
  takeMatch(pattern: RegExp): string | undefined {
    return pattern.test(this.#words[0] ?? "") ? this.#words.shift() : undefined;
  }

  match(what: string, pattern: RegExp): string {
    const word = this.next(what);
    if (!pattern.test(word)) throw new Error(`Expected ${what}, found ${word}`);
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
  sysctl(words): Record<string, string> {
    words.take("-q");
    const setting = words.match("a variable", /^net\.inet6?\.ip6?\.forwarding=[0-2]$/);
    const [variable = "", value = ""] = setting.split("=");
    return { variable, value };
  },
};

/**
 * `ifconfig interface [address_family] [address [dest_address]] [parameters]`; of the parameters
 * `alias` may come first, as hostname.if(5) writes it.
 */
function parseIfconfig(words: Words): Record<string, string> {
  const parsed: Record<string, string> = { interface: words.match("an interface", /^[a-z]+\d+$/) };
  const family = words.take("inet", "inet6");
  if (family) {
    parsed.family = family;
    if (words.take("alias")) parsed.alias = "";
    const isAddress = words.takeMatch(/^[\d.]+$|:/);
    if (isAddress !== undefined) readAddress(words, family, isAddress, parsed);
    else if (parsed.alias !== undefined) throw new Error("alias of nothing");
  }
  const parameters: string[] = [];
  while (!words.isEmpty) {
    const parameter = words.match(
      "a parameter",
      /^(mtu|rdomain|up|down|delete|anycast|eui64|-inet6)$/,
    );
    if (parameter === "mtu") parsed.mtu = words.match("bytes", /^[1-9]\d{1,4}$/);
    else if (parameter === "rdomain") parsed.rdomain = words.match("a number", /^\d{1,3}$/);
    else parameters.push(parameter);
  }
  if (parameters.includes("delete") && parsed.address === undefined) {
    throw new Error("delete without an address takes the first one");
  }
  if (/anycast|eui64/.test(`${parameters}`) && family !== "inet6") throw new Error("inet6 only");
  if (parsed.address !== undefined && !parameters.includes("delete") && !hasMask(parsed)) {
    throw new Error("An address without netmask or prefixlen has one by its class");
  }
  if (parameters.length > 0) parsed.parameters = parameters.join(" ");
  return parsed;
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
  if (mask) readMask(words, mask, parsed);
  // SIOCAIFADDR_IN6 refuses another end with any other prefix.
  if (family === "inet6" && parsed.destination !== undefined && parsed.prefixlen !== "128") {
    throw new Error("An IPv6 address with another end has a prefix of 128");
  }
}

function hasMask(parsed: Record<string, string>): boolean {
  return parsed.netmask !== undefined || parsed.prefixlen !== undefined;
}

function readMask(words: Words, kind: string, parsed: Record<string, string>): void {
  if (kind === "prefixlen") parsed.prefixlen = words.match("a length", /^\d{1,3}$/);
  else parsed.netmask = addressOf(words, 4);
}

/** `route [-dnqtv] [-T rtable] command [[modifiers] args]`: `add|delete [-inet|-inet6] destination gateway` */
function parseRoute(words: Words): Record<string, string> {
  const parsed: Record<string, string> = {};
  words.take("-n");
  if (words.take("-T")) parsed.table = words.match("a table", /^\d{1,3}$/);
  parsed.command = words.match("a command", /^(add|delete)$/);
  const bytes = words.match("a family", /^-inet6?$/) === "-inet" ? 4 : 16;
  parsed.destination = words.next("a destination");
  const prefix = parsePrefix(parsed.destination);
  if (!prefix || prefix.bytes.length !== bytes) {
    throw new Error(`destination ${parsed.destination}`);
  }
  parsed.gateway = addressOf(words, bytes);
  return parsed;
}

/** `pfctl [-q] [-a anchor] [-F modifier | -f file]` */
function parsePfctl(words: Words): Record<string, string> {
  words.take("-q");
  words.expect("-a");
  const anchor = words.match("an anchor", /^[\w/]+$/);
  if (words.take("-f")) return { anchor, file: words.next("a file") };
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

/**
 * Parses a rule of pf.conf(5): `match [in|out] on interface af [proto tcp] hosts
 * [nat-to redirhost | scrub (max-mss number)]`.
 */
export function parseRule(line: string): Parsed {
  const words = new Words(line.split(" "));
  words.expect("match");
  const direction = words.take("in", "out") ?? "both";
  words.expect("on");
  const on = words.match("an interface or group", /^[a-z]+\d*$/);
  const family = words.match("a family", /^inet6?$/);
  if (words.take("proto")) words.expect("tcp");
  const hosts = words.take("all") ? "all" : readHosts(words, family);
  if (words.take("nat-to")) {
    if (direction !== "out") throw new Error("nat-to wants a direction");
    const to = words.match("an address", /^\(egress:0\)$/);
    words.end();
    return { on, family, hosts, nat: to };
  }
  words.expect("scrub", "(max-mss");
  const mss = words.match("a number", /^\d+\)$/).slice(0, -1);
  words.end();
  return { on, family, hosts, mss };
}

function readHosts(words: Words, family: string): string {
  words.expect("from");
  const network = words.next("a network");
  const prefix = parsePrefix(network);
  if (prefix?.bytes.length !== (family === "inet" ? 4 : 16)) throw new Error(`from ${network}`);
  words.expect("to", "any");
  return network;
}
