/**
 * tun(4) of the fake: what sys/net/if_tun.c does to what is read and written, and what the network
 * stack of 7.8 does to packets that have something left to do (netinet/ip_output.c,
 * netinet/tcp_output.c, netinet6/ip6_output.c).
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  bytesOf,
  checksumOffsetOf,
  FLAG,
  ipBytesOf,
  type Packet,
  packetFrom,
  segmentsOf,
  slowSum,
  TCP,
} from "../../offload/reference.ts";
import { layoutsOf, NUMBERS } from "./abi.ts";
import { LIMITS } from "./abi_limits.ts";
import { Struct } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Releases that differ: TUNSCAP came with 7.7. */
export type Release = "7.6" | "7.8";
/** Releases in order, for tests that go through them. */
export const RELEASES: readonly Release[] = ["7.6", "7.8"];

const TUN_TYPE = LIMITS.IFT_TUNNEL;
/** `if_flags` as tun_create() sets them. */
const CREATED = NUMBERS.IFF_POINTOPOINT | NUMBERS.IFF_MULTICAST;
const RUNNING = NUMBERS.IFF_UP | NUMBERS.IFF_RUNNING;
/** TUN_IFF_FLAGS: what TUNGIFINFO tells of them. */
const TOLD_FLAGS = CREATED | NUMBERS.IFF_BROADCAST;
/** TUN_IF_CAPS, with IFCAP_VLAN_MTU, IFCAP_VLAN_HWTAGGING and IFCAP_VLAN_HWOFFLOAD. */
const CAPABILITIES = NUMBERS.IFCAP_CSUM_IPv4 | NUMBERS.IFCAP_CSUM_TCPv4 |
  NUMBERS.IFCAP_CSUM_UDPv4 | NUMBERS.IFCAP_CSUM_TCPv6 | NUMBERS.IFCAP_CSUM_UDPv6 | 0x70 |
  NUMBERS.IFCAP_TSOv4 | NUMBERS.IFCAP_TSOv6 | NUMBERS.IFCAP_LRO;
/** What an MTU may be. */
const [MIN_MTU, MAX_MTU] = [LIMITS.ETHERMIN, LIMITS.TUNMRU];

const { size: HEADER_BYTES, offsets: HEADER } = layoutsOf("amd64").tun_hdr;
const FAMILY_BYTES = 4;
const MOST_BYTES = LIMITS.MAXMCLBYTES;
const LINK_HEADER_BYTES = LIMITS.max_linkhdr;
const { TUN_H_TCP_MSS, TUN_H_TCP_CSUM, TUN_H_UDP_CSUM, TUN_H_ICMP_CSUM, TUN_H_VTAG } = NUMBERS;
const KNOWN_FLAGS = TUN_H_TCP_MSS | TUN_H_TCP_CSUM | TUN_H_UDP_CSUM;

/** A packet, and what struct tun_hdr says about it; without TUNSCAP there is nothing to say. */
export interface Framed {
  readonly flags: number;
  readonly mss: number;
  readonly packet: Uint8Array;
}

/** What a fake interface needs of its host. */
export interface TunHost {
  readonly release: Release;
  readonly world: { changed(): void };
}

/** A tun interface: what the host sends into it, and what the program wrote to it. */
export class FakeTun {
  mtu = 1500;
  readonly type = TUN_TYPE;
  isDestroyed = false;
  /** Largest packet that there is memory for. */
  memoryBytes = Infinity;
  /** IFCAP_... that TUNSCAP knows. */
  knownCapabilities = CAPABILITIES;
  /** What waits to be read. */
  readonly outgoing: Framed[] = [];
  /** Each write as it came. */
  readonly written: Framed[] = [];
  /** IP packets as they leave the host again: complete, with super-packets cut. */
  readonly incoming: Uint8Array[] = [];
  /** IFCAP_...; undefined without a header in front of packets. */
  capabilities: number | undefined;
  #ifFlags = CREATED;
  #isOpen = false;
  #random = 1;

  constructor(readonly host: TunHost, readonly goesOnClose: boolean) {}

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the host may send: IFF_UP and IFF_RUNNING. */
  get isUp(): boolean {
    return (this.#ifFlags & RUNNING) === RUNNING;
  }

  /** What TUNGIFINFO tells of the flags. */
  get flags(): number {
    return this.#ifFlags & TOLD_FLAGS;
  }

  /** tun_dev_open() */
  open(): void {
    if (this.#isOpen) throw new SystemError("EBUSY");
    this.#isOpen = true;
    this.#ifFlags |= RUNNING;
  }

  /** tun_dev_close() */
  close(): void {
    this.#isOpen = false;
    this.#ifFlags &= ~RUNNING;
    this.capabilities = undefined;
    this.outgoing.length = 0;
  }

  /** TUNSIFINFO */
  setInfo(mtu: number, type: number, flags: number): void {
    if (mtu < MIN_MTU || mtu > MAX_MTU) throw new SystemError("EINVAL");
    if (type !== this.type || flags !== this.flags) throw new SystemError("EINVAL");
    this.mtu = mtu;
  }

  /** TUNSCAP */
  setCapabilities(wanted: number): void {
    if (this.host.release === "7.6") throw new SystemError("ENOTTY");
    if ((wanted & ~this.knownCapabilities) !== 0) throw new SystemError("EINVAL");
    this.capabilities = wanted;
  }

  /** The host forwards a complete packet. */
  inject(packet: Uint8Array): void {
    this.#enqueue({ flags: 0, mss: 0, packet });
  }

  /**
   * The host sends a packet of its own, by TCP in one piece for many segments of `mss` bytes: like
   * if_output_tso() it leaves out what the interface does itself.
   */
  send(packet: Packet, mss = 0): void {
    if (mss === 0) return this.#sendOne(packet);
    if (!this.#can(packet.version === 4 ? "IFCAP_TSOv4" : "IFCAP_TSOv6")) {
      for (const segment of this.#chop(packet, mss)) this.#sendOne(segment);
      return;
    }
    const flags = TUN_H_TCP_MSS | TUN_H_TCP_CSUM;
    this.#enqueue({ flags, mss, packet: withoutLength(packet) });
  }

  /** tun_dev_read(): a buffer that is too small cuts the packet. */
  read(into: Uint8Array): number {
    if (this.isDestroyed) throw new SystemError("EIO");
    const next = this.outgoing.shift();
    if (!next) throw new SystemError("EAGAIN");
    const { flags, mss, packet } = next;
    const family = packet[0]! >> 4 === 6 ? NUMBERS.AF_INET6 : NUMBERS.AF_INET;
    const header = new Struct(new Uint8Array(this.#headerBytes));
    if (this.capabilities !== undefined) {
      header.setU16(HEADER.th_flags!, flags);
      header.setU16(HEADER.th_mss!, mss);
    }
    const framed = Uint8Array.of(...header.bytes, 0, 0, 0, family, ...packet);
    into.set(framed.subarray(0, into.length));
    return Math.min(framed.length, into.length);
  }

  /** tun_dev_write() and tun_input() */
  write(from: Uint8Array): number {
    if (this.isDestroyed) throw new SystemError("EIO");
    const start = this.#headerBytes + FAMILY_BYTES;
    if (from.length < start || from.length > start + MOST_BYTES) throw new SystemError("EMSGSIZE");
    const { flags, mss } = this.#readHeader(from);
    const packet = from.slice(start);
    if (packet.length > this.memoryBytes) throw new SystemError("ENOMEM");
    const family = new DataView(from.buffer, from.byteOffset).getUint32(start - FAMILY_BYTES);
    // The kernel drops others silently.
    const expected = packet[0]! >> 4 === 6 ? NUMBERS.AF_INET6 : NUMBERS.AF_INET;
    if (family !== expected) throw new Error(`Family ${family} before ${packet.toHex()}`);
    this.written.push({ flags, mss, packet });
    this.incoming.push(...this.#finish(flags, mss, packet));
    return from.length;
  }

  get #headerBytes(): number {
    return this.capabilities === undefined ? 0 : HEADER_BYTES;
  }

  #readHeader(from: Uint8Array): { flags: number; mss: number } {
    if (this.capabilities === undefined) return { flags: 0, mss: 0 };
    const header = new Struct(from.slice(0, HEADER_BYTES));
    const flags = header.u16(HEADER.th_flags!);
    const sums = [TUN_H_TCP_CSUM, TUN_H_UDP_CSUM, TUN_H_ICMP_CSUM].filter((sum) => flags & sum);
    if (sums.length > 1 || (flags & TUN_H_VTAG) !== 0) throw new SystemError("EINVAL");
    header.expectZero(HEADER.th_pad!, HEADER.th_mss!, "struct tun_hdr");
    if ((flags & ~KNOWN_FLAGS) !== 0) throw new Error(`Flags ${flags.toString(16)} of a packet`);
    return { flags, mss: header.u16(HEADER.th_mss!) };
  }

  /** Does what is left to do; throws at what the kernel would drop, or would send on wrong. */
  #finish(flags: number, mss: number, bytes: Uint8Array): Uint8Array[] {
    if (flags === 0) return [bytes];
    const packet = packetFrom(bytes, "pseudo");
    assertEquals(flags & ~TUN_H_TCP_MSS, packet.protocol === TCP ? TUN_H_TCP_CSUM : TUN_H_UDP_CSUM);
    if ((flags & TUN_H_TCP_MSS) === 0) {
      assertEquals(mss, 0);
      return [bytesOf(packet)];
    }
    return this.#chop(packet, mss).map((segment) => bytesOf(segment));
  }

  /** tcp_softtso_chop(): all segments but the first get another identification. */
  #chop(packet: Packet, mss: number): Packet[] {
    assertEquals(packet.protocol, TCP);
    assertEquals(ipBytesOf(packet), packet.version === 4 ? 20 : 40);
    if (mss === 0) throw new Error("A super-packet without a size of its segments");
    // No network card takes anything longer: ix(4) and others map MAXMCLBYTES for a frame.
    assert(bytesOf(packet).length <= MOST_BYTES - LINK_HEADER_BYTES);
    return segmentsOf(packet, mss).map((segment, i, { length }) => ({
      ...segment,
      id: i === 0 ? packet.id : this.#randomId(),
      flags: i === length - 1 ? packet.flags : packet.flags & ~(FLAG.psh | FLAG.fin),
      urgent: packet.urgent,
    }));
  }

  #randomId(): number {
    this.#random = Math.imul(this.#random, 1_103_515_245) + 12_345 >>> 0;
    return this.#random >>> 16;
  }

  #sendOne(packet: Packet): void {
    const kind = packet.protocol === TCP ? "TCP" : "UDP";
    const isPlain = ipBytesOf(packet) === (packet.version === 4 ? 20 : 40);
    if (!isPlain || !this.#can(`IFCAP_CSUM_${kind}v${packet.version}`)) {
      return this.inject(bytesOf(packet));
    }
    const flags = NUMBERS[`TUN_H_${kind}_CSUM`];
    this.#enqueue({ flags, mss: 0, packet: bytesOf(packet, "pseudo") });
  }

  #can(capability: keyof typeof NUMBERS): boolean {
    return ((this.capabilities ?? 0) & NUMBERS[capability]) !== 0;
  }

  /** tun_output(): an interface that is not running takes nothing (EHOSTDOWN). */
  #enqueue(framed: Framed): void {
    if (!this.isUp) return;
    this.outgoing.push(framed);
    this.host.world.changed();
  }
}

/** A super-packet whose field has the pseudo header's sum without the length. */
function withoutLength(packet: Packet): Uint8Array {
  const bytes = bytesOf(packet, "pseudo");
  const at = ipBytesOf(packet) + checksumOffsetOf(packet);
  const length = bytes.length - ipBytesOf(packet);
  const sum = slowSum([bytes[at]!, bytes[at + 1]!, ~length >> 8 & 0xff, ~length & 0xff]);
  bytes.set([sum >> 8, sum & 0xff], at);
  return bytes;
}
