/**
 * The rules of the configuration: which packets are bound to some links, get another class
 * than they show, or are sent on several links at once.
 *
 * Compiled once into flat arrays and read by number. A packet is held against the rules in
 * their order, on the bytes of its header; the first that matches counts.
 *
 * @module
 */

import { readU16 } from "../wire/field.ts";
import { KIND, type Kind } from "../wire/ip.ts";
import { contains, type Network } from "../wire/routes.ts";

/** Which packets are sent on several links: none, some within a budget, all. */
export type Duplicate = "off" | "auto" | "all";

/** {@linkcode Duplicate} as a number. */
export const COPIES = { off: 0, auto: 1, all: 2 } as const satisfies Record<Duplicate, number>;

/** A rule: conditions that are absent or empty hold for every packet. */
export interface RuleOptions {
  /** `icmp` is ICMPv6 in IPv6. */
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** One of them is the source or the destination port. Fragments have no ports. */
  readonly ports: readonly number[];
  readonly dscp?: number;
  readonly source?: Network;
  readonly destination?: Network;
  /** Names of the only links that such packets use; empty: any. */
  readonly links: readonly string[];
  readonly class?: "interactive" | "bulk";
  /** Absent: as for packets that no rule is about. */
  readonly duplicate?: Duplicate;
}

/** A rule says nothing of it. */
export const UNSAID = -1;
const NO_RULE = -1;
const NO_PORTS = -1;

const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;
const PROTOCOL_ICMP6 = 58;
const IPV6_HEADER_BYTES = 40;
const LEAST_TCP_BYTES = 20;
const LEAST_UDP_BYTES = 8;
const SOURCE = { 4: 12, 6: 8 } as const;
const DESTINATION = { 4: 16, 6: 24 } as const;

/** All rules of an end, in their order, and what holds without one. */
export class Rules {
  readonly count: number;
  /** Names of links, by rule. */
  readonly links: readonly (readonly string[])[];
  /** The {@linkcode Kind} that a rule asks for, or {@linkcode UNSAID}. */
  readonly kinds: Int8Array;
  /** The number of {@linkcode COPIES} that a rule asks for, or {@linkcode UNSAID}. */
  readonly copies: Int8Array;
  /** The same for interactive packets that no rule says it of. */
  readonly interactiveCopies: number;
  /** Whether any packet may be sent on several links. */
  readonly copying: boolean;

  readonly #protocol: Int16Array;
  readonly #dscp: Int8Array;
  readonly #ports: Uint16Array;
  /** Where the ports of each rule begin, and behind the last where they end. */
  readonly #portsFrom: Uint32Array;
  readonly #source: readonly (Network | undefined)[];
  readonly #destination: readonly (Network | undefined)[];
  // What the packet shows that is being held against the rules.
  #version: 4 | 6 = 4;
  #shownProtocol = 0;
  #shownDscp = 0;
  #portsAt = NO_PORTS;

  constructor(rules: readonly RuleOptions[], interactive: Duplicate) {
    this.count = rules.length;
    this.links = rules.map((rule) => rule.links);
    this.kinds = Int8Array.from(rules, (rule) => kindOf(rule));
    this.copies = Int8Array.from(
      rules,
      ({ duplicate }) => duplicate === undefined ? UNSAID : COPIES[duplicate],
    );
    this.interactiveCopies = COPIES[interactive];
    this.copying = interactive !== "off" || this.copies.some((copies) => copies > COPIES.off);
    this.#protocol = Int16Array.from(
      rules,
      ({ protocol }) => protocol === undefined ? UNSAID : PROTOCOL[protocol],
    );
    this.#dscp = Int8Array.from(rules, ({ dscp = UNSAID }) => dscp);
    this.#ports = Uint16Array.from(rules.flatMap((rule) => rule.ports));
    this.#portsFrom = new Uint32Array(rules.length + 1);
    rules.forEach(({ ports }, i) => this.#portsFrom[i + 1] = this.#portsFrom[i]! + ports.length);
    this.#source = rules.map((rule) => rule.source);
    this.#destination = rules.map((rule) => rule.destination);
  }

  /**
   * Returns the number of the first rule that the packet of `length` bytes at `at` matches, or -1.
   * What is not whole IPv4 or IPv6 matches none. O(rules + ports).
   */
  match(bytes: Uint8Array, at: number, length: number): number {
    if (this.count === 0 || !this.#read(bytes, at, length)) return NO_RULE;
    for (let rule = 0; rule < this.count; rule++) {
      if (this.#matches(rule, bytes, at)) return rule;
    }
    return NO_RULE;
  }

  #matches(rule: number, bytes: Uint8Array, at: number): boolean {
    const protocol = this.#protocol[rule]!;
    if (protocol !== UNSAID && protocol !== this.#shownProtocol) return false;
    const dscp = this.#dscp[rule]!;
    if (dscp !== UNSAID && dscp !== this.#shownDscp) return false;
    const version = this.#version;
    const source = this.#source[rule];
    if (source && !contains(source, bytes, at + SOURCE[version], version)) return false;
    const destination = this.#destination[rule];
    if (destination && !contains(destination, bytes, at + DESTINATION[version], version)) {
      return false;
    }
    return this.#matchesPorts(rule, bytes);
  }

  #matchesPorts(rule: number, bytes: Uint8Array): boolean {
    const from = this.#portsFrom[rule]!;
    const end = this.#portsFrom[rule + 1]!;
    if (from === end) return true;
    if (this.#portsAt === NO_PORTS) return false;
    const source = readU16(bytes, this.#portsAt);
    const destination = readU16(bytes, this.#portsAt + 2);
    for (let i = from; i < end; i++) {
      if (this.#ports[i] === source || this.#ports[i] === destination) return true;
    }
    return false;
  }

  /** Reads what the rules look at; false for what is not whole. */
  #read(bytes: Uint8Array, at: number, length: number): boolean {
    if (length < 20) return false;
    const version = bytes[at]! >> 4;
    if (version === 4) return this.#readIpv4(bytes, at, length);
    return version === 6 && this.#readIpv6(bytes, at, length);
  }

  #readIpv4(bytes: Uint8Array, at: number, length: number): boolean {
    const headerBytes = (bytes[at]! & 0x0f) * 4;
    const total = readU16(bytes, at + 2);
    if (headerBytes < 20 || total < headerBytes || total > length) return false;
    this.#version = 4;
    this.#shownDscp = bytes[at + 1]! >> 2;
    this.#shownProtocol = bytes[at + 9]!;
    const isFragment = (readU16(bytes, at + 6) & 0x3fff) !== 0;
    this.#findPorts(at + headerBytes, isFragment ? 0 : total - headerBytes);
    return true;
  }

  /** A packet with extension headers, a fragment among them, shows the first of those as its protocol. */
  #readIpv6(bytes: Uint8Array, at: number, length: number): boolean {
    const payload = readU16(bytes, at + 4);
    if (payload + IPV6_HEADER_BYTES > length) return false;
    this.#version = 6;
    this.#shownDscp = readU16(bytes, at) >> 6 & 0x3f;
    const next = bytes[at + 6]!;
    this.#shownProtocol = next === PROTOCOL_ICMP6
      ? PROTOCOL.icmp
      : next === PROTOCOL.icmp
      ? PROTOCOL_ICMP6
      : next;
    this.#findPorts(at + IPV6_HEADER_BYTES, payload);
    return true;
  }

  #findPorts(at: number, length: number): void {
    const protocol = this.#shownProtocol;
    const has = protocol === PROTOCOL.tcp
      ? length >= LEAST_TCP_BYTES
      : protocol === PROTOCOL.udp && length >= LEAST_UDP_BYTES;
    this.#portsAt = has ? at : NO_PORTS;
  }
}

function kindOf(rule: RuleOptions): Kind | typeof UNSAID {
  return rule.class === undefined ? UNSAID : KIND[rule.class];
}
