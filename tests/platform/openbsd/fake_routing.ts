/**
 * route(4) of the fake: routing sockets, the messages that they hear and the questions they ask;
 * sys/net/rtsock.c.
 *
 * @module
 */

import { type Layouts, NUMBERS } from "./abi.ts";
import * as decode from "./decode.ts";
import type { FakeHost } from "./fake_world.ts";
import { Struct } from "./memory.ts";
import { SystemError } from "./system_error.ts";

/** Bytes of a receive buffer until it is set: sys/net/rtsock.c, ROUTESNDQ and ROUTERCVQ. */
const RECEIVE_BUFFER = 8192;
/** The kernel keeps this much free: two times MSIZE of sys/sys/param.h. */
const SPARE_BYTES = 512;

/** A routing socket. */
export class FakeRouteSocket {
  /** Bits of the types that it hears; 0: all. */
  filter = 0;
  receiveBuffer = RECEIVE_BUFFER;
  readonly queue: Uint8Array<ArrayBuffer>[] = [];
  /** Messages were lost: none is kept until the queue is empty. */
  #isFlushing = false;

  /** @param table the one whose messages it hears, or RTABLE_ANY */
  constructor(public table: number) {}

  /** rtm_sendup(): keeps a message, or says that messages were lost. */
  tell(message: Uint8Array<ArrayBuffer>, desync: Uint8Array<ArrayBuffer>): void {
    if (this.#isFlushing) return;
    const held = this.queue.reduce((sum, { length }) => sum + length, 0);
    if (this.receiveBuffer - held >= SPARE_BYTES) {
      this.queue.push(message);
      return;
    }
    this.#isFlushing = true;
    this.queue.push(desync);
  }

  read(into: Uint8Array): number {
    const message = this.queue.shift();
    if (this.queue.length === 0) this.#isFlushing = false;
    if (!message) throw new SystemError("EAGAIN");
    if (message.length > into.length) throw new Error("read(2) would cut a message of route(4)");
    into.set(message);
    return message.length;
  }
}

/** What there is to say of an interface. */
export interface FakeInterface {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  /** LINK_STATE_... */
  readonly linkState: number;
  readonly mtu: number;
}

/** A route that is told. */
export interface FakeRoute {
  readonly table: number;
  readonly index: number;
  readonly flags: number;
  readonly destination: Uint8Array;
  /** Bits of the network; absent for a host. */
  readonly prefix?: number;
}

/** Makes messages, and gives them to those who hear them. */
export class FakeRouting {
  readonly #host: FakeHost;
  readonly #layouts: Layouts;

  constructor(host: FakeHost, layouts: Layouts) {
    this.#host = host;
    this.#layouts = layouts;
  }

  /** RTM_IFINFO: rtm_ifchg(). */
  interface({ index, name, isUp, linkState, mtu }: FakeInterface): void {
    const { if_msghdr, if_data } = this.#layouts;
    const message = this.#message("RTM_IFINFO", if_msghdr.size, index, [
      ["RTA_IFP", this.#linkAddress(index, name)],
    ]);
    const struct = new Struct(message);
    struct.setU32(if_msghdr.offsets.ifm_flags!, isUp ? NUMBERS.IFF_UP : 0);
    message[if_msghdr.offsets.ifm_data! + if_data.offsets.ifi_link_state!] = linkState;
    struct.setU32(if_msghdr.offsets.ifm_data! + if_data.offsets.ifi_mtu!, mtu);
    this.#deliver(message);
  }

  /** RTM_IFANNOUNCE: rtm_ifannounce(). */
  announce(index: number, name: string, what: "IFAN_ARRIVAL" | "IFAN_DEPARTURE"): void {
    const { size, offsets } = this.#layouts.if_announcemsghdr;
    const message = this.#message("RTM_IFANNOUNCE", size, index, []);
    new Struct(message).setU16(offsets.ifan_what!, NUMBERS[what]);
    message.set(new TextEncoder().encode(name), offsets.ifan_name);
    this.#deliver(message);
  }

  /** RTM_NEWADDR and RTM_DELADDR: rtm_addr(). */
  address(type: "RTM_NEWADDR" | "RTM_DELADDR", index: number, rdomain: number): void {
    const message = this.#message(type, this.#layouts.ifa_msghdr.size, index, []);
    new Struct(message).setU16(this.#layouts.ifa_msghdr.offsets.ifam_tableid!, rdomain);
    this.#deliver(message, rdomain);
  }

  /** RTM_ADD, RTM_DELETE, RTM_CHANGE: rtm_send(). */
  route(type: "RTM_ADD" | "RTM_DELETE" | "RTM_CHANGE", route: FakeRoute): void {
    this.#deliver(this.#routeMessage(type, route), route.table);
  }

  /** write(2): route_output() for RTM_GET; everything else is a mistake. */
  ask(bytes: Uint8Array<ArrayBuffer>): number {
    const { table, sequence, destination } = this.#readQuestion(bytes);
    const entry = this.#host.tables.get(table);
    if (!entry) throw new SystemError("EINVAL");
    const flags = entry.hasRoute && entry.isRouteUp ? NUMBERS.RTF_UP : 0;
    const route = { table, index: entry.hasRoute ? entry.index : 0, flags, destination };
    const answer = this.#routeMessage("RTM_GET", route);
    const struct = new Struct(answer);
    const { rtm_seq, rtm_errno } = this.#layouts.rt_msghdr.offsets;
    struct.setU32(rtm_seq!, sequence);
    if (!entry.hasRoute) struct.setU32(rtm_errno!, 3); // ESRCH
    this.#deliver(answer, table);
    if (!entry.hasRoute) throw new SystemError("ESRCH");
    return bytes.length;
  }

  /** What a question says, for the record; throws unless all of it is correct. */
  describe(bytes: Uint8Array<ArrayBuffer>): string {
    const { table, sequence, destination } = this.#readQuestion(bytes);
    return `RTM_GET ${decode.ip(destination)} in table ${table}, number ${sequence}`;
  }

  #readQuestion(bytes: Uint8Array<ArrayBuffer>): {
    table: number;
    sequence: number;
    destination: Uint8Array;
  } {
    const { size, offsets } = this.#layouts.rt_msghdr;
    const struct = new Struct(bytes);
    const length = struct.u16(offsets.rtm_msglen!);
    if (length !== bytes.length) throw new Error(`A message of ${bytes.length} says ${length}`);
    if (bytes[offsets.rtm_version!] !== NUMBERS.RTM_VERSION) throw new Error("RTM_VERSION");
    if (bytes[offsets.rtm_type!] !== NUMBERS.RTM_GET) throw new Error("Only RTM_GET is asked");
    if (struct.u16(offsets.rtm_hdrlen!) !== size) throw new Error("rtm_hdrlen");
    if (struct.u32(offsets.rtm_addrs!) !== NUMBERS.RTA_DST) throw new Error("rtm_addrs");
    struct.expectZero(offsets.rtm_index!, offsets.rtm_tableid!, "rtm_index");
    struct.expectZero(offsets.rtm_priority!, offsets.rtm_addrs!, "rtm_priority");
    struct.expectZero(offsets.rtm_flags!, offsets.rtm_seq!, "rtm_flags");
    struct.expectZero(offsets.rtm_errno!, size, "rtm_errno");
    const end = size + bytes[size]!;
    struct.expectZero(end, bytes.length, "sockaddr");
    if (roundUp(end) !== bytes.length) throw new Error("More than a destination");
    const { address, port } = decode.readAddress(this.#layouts, bytes.slice(size, end));
    if (port !== 0) throw new Error("A destination with a port");
    return {
      table: struct.u16(offsets.rtm_tableid!),
      sequence: struct.i32(offsets.rtm_seq!),
      destination: address,
    };
  }

  #routeMessage(
    type: "RTM_ADD" | "RTM_DELETE" | "RTM_CHANGE" | "RTM_GET",
    { table, index, flags, destination, prefix }: FakeRoute,
  ): Uint8Array<ArrayBuffer> {
    const { size, offsets } = this.#layouts.rt_msghdr;
    const address = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
      decode.writeAddress(this.#layouts, { address: bytes, port: 0, scope: 0 });
    const mask = destination.map((_, i) => 0xff00 >> Math.min(8, Math.max(0, prefix! - i * 8)));
    const message = this.#message(type, size, index, [
      ["RTA_DST", address(destination)],
      ...prefix === undefined ? [] : [["RTA_NETMASK", address(mask)] as const],
    ]);
    const struct = new Struct(message);
    struct.setU16(offsets.rtm_tableid!, table);
    struct.setU32(offsets.rtm_flags!, flags);
    return message;
  }

  /** rtm_msg1(): the header, and socket addresses in the order of their bits. */
  #message(
    type: keyof typeof NUMBERS,
    header: number,
    index: number,
    addresses: readonly (readonly [keyof typeof NUMBERS, Uint8Array])[],
  ): Uint8Array<ArrayBuffer> {
    const { offsets } = this.#layouts.rt_msghdr;
    const length = addresses.reduce((sum, [, { length }]) => sum + roundUp(length), header);
    const message = new Uint8Array(length);
    const struct = new Struct(message);
    struct.setU16(offsets.rtm_msglen!, length);
    message[offsets.rtm_version!] = NUMBERS.RTM_VERSION;
    message[offsets.rtm_type!] = NUMBERS[type];
    struct.setU16(offsets.rtm_hdrlen!, header);
    if (type === "RTM_DESYNC") return message;
    struct.setU16(offsets.rtm_index!, index);
    if (type === "RTM_IFANNOUNCE") return message;
    struct.setU32(offsets.rtm_addrs!, addresses.reduce((sum, [bit]) => sum | NUMBERS[bit], 0));
    let at = header;
    for (const [, address] of addresses) {
      message.set(address, at);
      at += roundUp(address.length);
    }
    return message;
  }

  #linkAddress(index: number, name: string): Uint8Array<ArrayBuffer> {
    const { size, offsets } = this.#layouts.sockaddr_dl;
    const bytes = new Uint8Array(size);
    bytes[offsets.sdl_len!] = size;
    bytes[offsets.sdl_family!] = NUMBERS.AF_LINK;
    new Struct(bytes).setU16(offsets.sdl_index!, index);
    bytes[offsets.sdl_nlen!] = name.length;
    bytes[offsets.sdl_alen!] = 6;
    bytes.set(new TextEncoder().encode(name), offsets.sdl_data);
    bytes.fill(0x2a, offsets.sdl_data! + name.length, offsets.sdl_data! + name.length + 6);
    return bytes;
  }

  /** route_input(): everyone who wants messages of this type and table. */
  #deliver(message: Uint8Array<ArrayBuffer>, table?: number): void {
    const type = message[this.#layouts.rt_msghdr.offsets.rtm_type!]!;
    const desync = this.#message("RTM_DESYNC", this.#layouts.rt_msghdr.size, 0, []);
    for (const socket of this.#host.routeSockets) {
      if (socket.filter !== 0 && (socket.filter & 1 << type) === 0) continue;
      const isOther = table !== undefined && socket.table !== table;
      if (isOther && socket.table !== NUMBERS.RTABLE_ANY) continue;
      socket.tell(message.slice(), desync);
    }
    this.#host.world.changed();
  }
}

function roundUp(length: number): number {
  return Math.max(1, Math.ceil(length / 8)) * 8;
}
