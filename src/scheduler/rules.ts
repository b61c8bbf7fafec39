/**
 * The rules of the configuration: which packets are bound to some links, get another class
 * than their header suggests, or are sent on several links at once.
 *
 * Compiled once into flat arrays and read by number. A packet is compared with the rules in
 * their order, by what was read of its header; the first match counts.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import type { Duplicate } from "../duplicate.ts";
import type { RuleOptions } from "../rule_options.ts";
import { readU16 } from "../wire/field.ts";
import { KIND, type Kind, NO_PORTS, type PacketInfo } from "../wire/ip.ts";
import {
  DESTINATION_PORT,
  PROTOCOL_ICMP,
  PROTOCOL_ICMP6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SOURCE_PORT,
} from "../wire/ip_layout.ts";
import { isFrom, isTo } from "../wire/routes.ts";

/** {@linkcode Duplicate} as a number. */
export const COPIES = { off: 0, needed: 1, auto: 2, all: 3 } as const satisfies Record<
  Duplicate,
  number
>;

/** A rule says nothing about it. */
export const UNSAID = -1;
const NO_RULE = -1;

const PROTOCOL = { icmp: PROTOCOL_ICMP, tcp: PROTOCOL_TCP, udp: PROTOCOL_UDP } as const;

/** All rules of an end, in their order, and what holds without one. */
export class Rules {
  readonly count: number;
  /** Names of links, by rule. */
  readonly links: readonly (readonly string[])[];
  /** The {@linkcode Kind} that a rule asks for, or {@linkcode UNSAID}. */
  readonly kinds: Int8Array;
  /** The number of {@linkcode COPIES} that a rule asks for, or {@linkcode UNSAID}. */
  readonly copies: Int8Array;
  /** The same for interactive packets about whose copies no rule says anything. */
  readonly interactiveCopies: number;
  /** Whether any packet may be sent on several links. */
  readonly copying: boolean;
  /** Whether many are, so that room is kept for copies. */
  readonly manyCopies: boolean;

  readonly #protocol: Int16Array;
  readonly #dscp: Int8Array;
  readonly #ports: Uint16Array;
  /** Where the ports of each rule begin; the entry after the last is where they end. */
  readonly #portsFrom: Uint32Array;
  readonly #source: readonly (Prefix | undefined)[];
  readonly #destination: readonly (Prefix | undefined)[];

  constructor(rules: readonly RuleOptions[], interactive: Duplicate) {
    this.count = rules.length;
    this.links = rules.map((rule) => rule.links);
    this.kinds = Int8Array.from(rules, (rule) => kindOf(rule));
    this.copies = Int8Array.from(
      rules,
      ({ duplicate }) => duplicate === undefined ? UNSAID : COPIES[duplicate],
    );
    this.interactiveCopies = COPIES[interactive];
    const most = Math.max(COPIES[interactive], ...this.copies);
    this.copying = most > COPIES.off;
    this.manyCopies = most > COPIES.needed;
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

  /** Returns the number of the first rule that the packet at `at` matches, or -1. O(rules + ports). */
  match(bytes: Uint8Array, at: number, info: PacketInfo): number {
    for (let rule = 0; rule < this.count; rule++) {
      if (this.#matches(rule, bytes, at, info)) return rule;
    }
    return NO_RULE;
  }

  #matches(rule: number, bytes: Uint8Array, at: number, info: PacketInfo): boolean {
    const protocol = this.#protocol[rule]!;
    if (protocol !== UNSAID && protocol !== shownProtocol(info)) return false;
    const dscp = this.#dscp[rule]!;
    if (dscp !== UNSAID && dscp !== info.dscp) return false;
    const source = this.#source[rule];
    if (source && !isFrom(source, bytes, at, info.version)) return false;
    const destination = this.#destination[rule];
    if (destination && !isTo(destination, bytes, at, info.version)) return false;
    return this.#matchesPorts(rule, bytes, info.portsAt);
  }

  #matchesPorts(rule: number, bytes: Uint8Array, portsAt: number): boolean {
    const from = this.#portsFrom[rule]!;
    const end = this.#portsFrom[rule + 1]!;
    if (from === end) return true;
    if (portsAt === NO_PORTS) return false;
    const source = readU16(bytes, portsAt + SOURCE_PORT);
    const destination = readU16(bytes, portsAt + DESTINATION_PORT);
    for (let i = from; i < end; i++) {
      if (this.#ports[i] === source || this.#ports[i] === destination) return true;
    }
    return false;
  }
}

/** `icmp` means ICMPv6 in IPv6, where IPv4's ICMP has no meaning. */
function shownProtocol({ version, protocol }: PacketInfo): number {
  if (version === 4) return protocol;
  if (protocol === PROTOCOL_ICMP6) return PROTOCOL_ICMP;
  return protocol === PROTOCOL_ICMP ? PROTOCOL_ICMP6 : protocol;
}

function kindOf(rule: RuleOptions): Kind | typeof UNSAID {
  return rule.class === undefined ? UNSAID : KIND[rule.class];
}
