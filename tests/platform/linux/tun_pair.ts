/**
 * Two networks and a test in between that carries packets from one TUN to the other, as the
 * tunnel does:
 *
 *     near network                                    far network
 *     192.0.2.1 [agg0] -- read, slots, write -- [agg0] 192.0.2.2
 *   2001:db8::1                                        2001:db8::2
 */

import { assertEquals } from "@std/assert";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { TunKind } from "../../../src/platform/platform.ts";
import type { DeviceTun } from "../../../src/platform/tun_device.ts";
import { PacketPool } from "../../../src/slab.ts";
import type { Address } from "./inner_socket.ts";
import { inNewNetwork, ip } from "./requirements.ts";

const DB8 = [0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0)];
/** Addresses of an end: IPv4, IPv6. */
export const NEAR: Readonly<Record<4 | 6, Address>> = { 4: [192, 0, 2, 1], 6: [...DB8, 1] };
export const FAR: Readonly<Record<4 | 6, Address>> = { 4: [192, 0, 2, 2], 6: [...DB8, 2] };

const MTU = 1400;
const MAX_MS = 20_000;

/** Opens a TUN in this thread's network with the addresses of an end, up. */
export function openEnd(kind: TunKind, host: number): DeviceTun {
  const tun = openTun(openLibc(), undefined, kind);
  ip(`address add 192.0.2.${host}/24 dev ${tun.name}`);
  ip(`-6 address add 2001:db8::${host}/64 dev ${tun.name} nodad`);
  ip(`link set dev ${tun.name} mtu ${MTU} up`);
  awaitAddresses(tun.name);
  return tun;
}

/** An IPv6 address takes no packets until the kernel has processed it, even without DAD. */
function awaitAddresses(name: string): void {
  const end = performance.now() + MAX_MS;
  while (ip(`-6 address show dev ${name} tentative`) !== "") {
    if (performance.now() > end) throw new Error(`An address of ${name} stays tentative`);
  }
}

/** What the kernel counts on an interface: packets that it sent into it and got out of it. */
export function packetCounts(name: string): { sent: number; received: number } {
  const line = Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n")
    .find((line) => line.trim().startsWith(`${name}:`))!;
  const numbers = line.slice(line.indexOf(":") + 1).trim().split(/\s+/).map(Number);
  return { sent: numbers[9]!, received: numbers[1]! };
}

/** Datagrams and segments that this thread's network dropped for a wrong checksum. */
export function checksumErrors(): number {
  const lines = Deno.readTextFileSync("/proc/thread-self/net/snmp").split("\n");
  let sum = 0;
  for (const protocol of ["Tcp:", "Udp:"]) {
    const [names, values] = lines.filter((line) => line.startsWith(protocol))
      .map((line) => line.split(" "));
    sum += Number(values![names!.indexOf("InCsumErrors")]);
  }
  const udp6 = /^Udp6InCsumErrors\s+(\d+)$/m
    .exec(Deno.readTextFileSync("/proc/thread-self/net/snmp6"));
  return sum + Number(udp6![1]);
}

/** The tunnel between two TUNs. */
export class TunPair {
  /** Packets carried to the far end and back. */
  forth = 0;
  back = 0;
  readonly #pools = [new PacketPool(100), new PacketPool(100)] as const;
  readonly #slots = new Int32Array(64);

  constructor(readonly near: DeviceTun, readonly far: DeviceTun) {}

  /** Carries what waits at both ends. Returns whether there was anything. */
  carry(): boolean {
    const forth = this.#move(this.near, this.far, this.#pools[0]);
    const back = this.#move(this.far, this.near, this.#pools[1]);
    this.forth += forth;
    this.back += back;
    return forth + back > 0;
  }

  /** Carries on until `done` says so. */
  carryUntil(done: () => boolean): void {
    const end = performance.now() + MAX_MS;
    while (!done()) {
      this.carry();
      if (performance.now() > end) throw new Error(`Not done after ${MAX_MS} ms`);
    }
  }

  #move(from: DeviceTun, to: DeviceTun, pool: PacketPool): number {
    const count = from.read(pool, this.#slots, 64);
    assertEquals(to.write(pool, this.#slots, count), count);
    for (let i = 0; i < count; i++) pool.release(this.#slots[i]!);
    return count;
  }
}

/**
 * Runs `body` in the far network, between two TUNs of the given kinds; `prepare` before in the
 * near one, for its sockets. Returns what the kernels counted.
 */
export function withTunPair<T>(
  kinds: readonly [TunKind, TunKind],
  prepare: () => T,
  body: (pair: TunPair, prepared: T) => void,
): { pair: TunPair; sent: number; received: number; checksumErrors: number } {
  let counts = { sent: 0, received: 0, checksumErrors: 0 };
  let pair: TunPair | undefined;
  inNewNetwork(() => {
    const near = openEnd(kinds[0], 1);
    const prepared = prepare();
    inNewNetwork(() => {
      const far = openEnd(kinds[1], 2);
      pair = new TunPair(near, far);
      body(pair, prepared);
      counts.received = packetCounts(far.name).received;
      counts.checksumErrors = checksumErrors();
      far.close();
    });
    counts = {
      ...counts,
      sent: packetCounts(near.name).sent,
      checksumErrors: counts.checksumErrors + checksumErrors(),
    };
    near.close();
  });
  return { pair: pair!, ...counts };
}
