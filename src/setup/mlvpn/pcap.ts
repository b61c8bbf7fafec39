/**
 * Turns filters of pcap-filter(7), as mlvpn's `[filters]` has them, into conditions of rules: as far
 * as protocols, ports, hosts and networks go.
 *
 * `and` and `or` bind equally and from the left, a bare address or port has the qualifiers of the
 * one before it. What a rule cannot say makes the whole filter impossible.
 *
 * @module
 */

import { type Family, parseAddress, parsePrefix, type Prefix } from "../../address.ts";

/** The conditions of one rule; all of them must hold. */
export interface Conditions {
  readonly protocol?: "tcp" | "udp" | "icmp";
  readonly ports?: readonly number[];
  readonly source?: Prefix;
  readonly destination?: Prefix;
  /** Only packets of this family. */
  readonly family?: Family;
}

/** Rules of which any may hold, and what they do not say exactly; or why there are none. */
export type FilterResult =
  | { readonly rules: readonly Conditions[]; readonly inexact: readonly string[] }
  | { readonly why: string };

/** Alternatives; each is one rule. */
type Alternatives = readonly Conditions[];

/** More rules than this are not worth reading. */
const MAX_RULES = 16;
/** Longest range of ports that becomes a list. */
const MAX_RANGE = 32;

/** Services that filters name, with the ports of services(5). */
const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  smtp: 25,
  domain: 53,
  http: 80,
  ntp: 123,
  imap: 143,
  https: 443,
  sip: 5060,
};

const PROTOCOLS: Readonly<Record<string, Conditions>> = {
  tcp: { protocol: "tcp" },
  udp: { protocol: "udp" },
  icmp: { protocol: "icmp", family: 4 },
  icmp6: { protocol: "icmp", family: 6 },
  "6": { protocol: "tcp" },
  "17": { protocol: "udp" },
  "1": { protocol: "icmp", family: 4 },
  "58": { protocol: "icmp", family: 6 },
};

const EITHER_END = "a rule looks at both ports of a packet";

/** Translates a filter. Never throws for what a filter can be. */
export function translateFilter(filter: string): FilterResult {
  const tokens = filter.match(/[()!]|&&|\|\||[^\s()!&|]+|[&|]/g) ?? [];
  const reader = new FilterReader(tokens);
  try {
    const rules = mergePorts(reader.read());
    return { rules, inexact: [...reader.inexact] };
  } catch (error) {
    if (error instanceof Untranslatable) return { why: error.message };
    throw error;
  }
}

/** A filter has something that rules have not. */
class Untranslatable extends Error {}

class FilterReader {
  readonly inexact: Set<string> = new Set();
  readonly #tokens: readonly string[];
  #at = 0;
  /** Reads a bare operand like the one before it. */
  #again: ((text: string) => Alternatives) | undefined;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  read(): Alternatives {
    const all = this.#expression(0);
    if (this.#at < this.#tokens.length) throw unknown(this.#tokens[this.#at]!);
    return all;
  }

  #expression(depth: number): Alternatives {
    let all = this.#term(depth);
    for (;;) {
      if (this.#take("and", "&&")) all = both(all, this.#term(depth));
      else if (this.#take("or", "||")) all = [...all, ...this.#term(depth)];
      else return all;
      if (all.length > MAX_RULES) throw new Untranslatable(`it takes more than ${MAX_RULES} rules`);
    }
  }

  #term(depth: number): Alternatives {
    if (this.#take("not", "!")) throw new Untranslatable('a rule has no "not"');
    if (!this.#take("(")) return this.#primitive();
    if (depth > MAX_RULES) throw new Untranslatable("it is nested too deeply");
    const inner = this.#expression(depth + 1);
    if (!this.#take(")")) throw new Untranslatable('a ")" is missing');
    return inner;
  }

  /** `[ip|ip6] [tcp|udp] [src|dst] [host|net|port|portrange|proto] [OPERAND]` */
  #primitive(): Alternatives {
    const family = this.#take("ip6") ? 6 : this.#take("ip") ? 4 : undefined;
    let base: Conditions = family === undefined ? {} : { family };
    const protocol = this.#oneOf("tcp", "udp", "icmp", "icmp6");
    if (protocol !== undefined) base = restricted(base, PROTOCOLS[protocol]!);
    const way = this.#oneOf("src", "dst");
    const kind = this.#oneOf("host", "net", "port", "portrange", "proto", "protochain");
    const isBare = family === undefined && protocol === undefined && way === undefined;
    if (kind === undefined && way === undefined) {
      if (isBare) return this.#bare();
      return [base];
    }
    const operand = this.#next();
    const qualified = (text: string): Alternatives =>
      both([base], this.#qualified(kind ?? "host", way, text));
    this.#again = qualified;
    return qualified(operand);
  }

  #bare(): Alternatives {
    const operand = this.#next();
    if (!this.#again || !/^[\da-f.:/]+$/i.test(operand) && !Object.hasOwn(SERVICES, operand)) {
      throw unknown(operand);
    }
    return this.#again(operand);
  }

  #qualified(kind: string, way: string | undefined, operand: string): Alternatives {
    if (kind === "proto" || kind === "protochain") {
      const name = operand.replace(/^\\/, "");
      if (!Object.hasOwn(PROTOCOLS, name)) throw unknown(operand);
      return [PROTOCOLS[name]!];
    }
    if (kind === "port" || kind === "portrange") {
      if (way !== undefined) this.inexact.add(EITHER_END);
      return [{ ports: kind === "port" ? [portOf(operand)] : rangeOf(operand) }];
    }
    const network = kind === "net" ? this.#network(operand) : parseAddress(operand)?.toPrefix();
    if (!network) throw unknown(operand);
    return [
      ...way === "dst" ? [] : [{ source: network }],
      ...way === "src" ? [] : [{ destination: network }],
    ];
  }

  #network(operand: string): Prefix | undefined {
    const mask = this.#take("mask") ? parseAddress(this.#next()) : undefined;
    const bits = mask && [...mask.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const length = bits === undefined ? "" : `/${bits.replaceAll("0", "").length}`;
    // Missing bytes of IPv4 are the host's: `net 10.1` is 10.1.0.0/16.
    const bytes = operand.split("/")[0]!.split(".");
    const full = [...bytes, "0", "0", "0"].slice(0, 4).join(".");
    const text = operand.includes(":") || operand.includes("/")
      ? operand
      : `${full}${length || `/${8 * bytes.length}`}`;
    return parsePrefix(text)?.toNetwork();
  }

  #take(...words: readonly string[]): boolean {
    return this.#oneOf(...words) !== undefined;
  }

  #oneOf(...words: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !words.includes(token)) return undefined;
    this.#at++;
    return token;
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Untranslatable("it ends too early");
    return token;
  }
}

function unknown(word: string): Untranslatable {
  return new Untranslatable(`a rule cannot say "${word}"`);
}

function portOf(text: string): number {
  const port = Object.hasOwn(SERVICES, text) ? SERVICES[text]! : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw unknown(text);
  return port;
}

function rangeOf(text: string): readonly number[] {
  const [first = "", last = ""] = text.split("-");
  const [from, to] = [portOf(first), portOf(last)];
  if (to - from >= MAX_RANGE) throw new Untranslatable(`it has more than ${MAX_RANGE} ports`);
  return Array.from({ length: Math.max(0, to - from) + 1 }, (_, i) => from + i);
}

function both(a: Alternatives, b: Alternatives): Alternatives {
  return a.flatMap((one) => b.map((other) => restricted(one, other)));
}

/** Returns conditions that hold when both do. */
function restricted(a: Conditions, b: Conditions): Conditions {
  for (const key of ["protocol", "family", "source", "destination"] as const) {
    if (a[key] === undefined || b[key] === undefined || `${a[key]}` === `${b[key]}`) continue;
    throw new Untranslatable(`a rule has one ${key}`);
  }
  if (a.ports && b.ports) throw new Untranslatable("a rule wants one of its ports, not two");
  return { ...a, ...b };
}

/** Rules that differ in their ports only are one. */
function mergePorts(rules: Alternatives): Conditions[] {
  const merged = new Map<string, Conditions>();
  for (const rule of rules) {
    const { ports, ...rest } = rule;
    const key = `${
      ports !== undefined
    } ${rest.protocol} ${rest.family} ${rest.source} ${rest.destination}`;
    const same = merged.get(key);
    const all = [...new Set([...same?.ports ?? [], ...ports ?? []])];
    merged.set(key, ports ? { ...rest, ports: all } : rest);
  }
  return [...merged.values()];
}
