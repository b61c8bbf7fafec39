/**
 * A hostile sender: prepared datagrams at a steady high rate, by sendmmsg.
 *
 * Each packet to send is either the payload of our own datagram or a whole IP packet with somebody
 * else's source address (sent by a raw socket).
 *
 * @module
 */

import { HostClock, must, openLibc } from "../libc.ts";
import { say, setOption, sockaddr, udpSocket } from "./socket.ts";

const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
const MSGHDR_BYTES = 64;
const BATCH = 50;

/** What to send. */
export interface FloodPlan {
  readonly address: string;
  readonly port: number;
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** `payload`: the rest is UDP payloads; `packet`: whole IPv4 packets. */
  readonly kind: "payload" | "packet";
  /** In base64; sent in turn, repeatedly. */
  readonly packets: readonly string[];
}

/** The result. */
export interface FloodReport {
  /** Datagrams the kernel took. */
  readonly sent: number;
  readonly elapsedUs: number;
}

/** An array of `struct mmsghdr` over prepared packets, in groups of {@linkcode BATCH}. */
class Batches {
  readonly #keep: unknown[] = [];
  readonly headers: readonly Uint8Array<ArrayBuffer>[];

  constructor(packets: readonly Uint8Array<ArrayBuffer>[], destination: Uint8Array | undefined) {
    const groups = Math.max(1, Math.ceil(packets.length / BATCH));
    this.headers = Array.from({ length: groups }, (_, g) => {
      const headers = new Uint8Array(MSGHDR_BYTES * BATCH);
      for (let i = 0; i < BATCH; i++) {
        const packet = packets[(g * BATCH + i) % packets.length] as Uint8Array<ArrayBuffer>;
        this.#fill(new DataView(headers.buffer, i * MSGHDR_BYTES), packet, destination);
      }
      return headers;
    });
  }

  /** `struct msghdr`: name 0:8, namelen 8:4, iov 16:8, iovlen 24:8. */
  #fill(view: DataView, packet: Uint8Array<ArrayBuffer>, name: Uint8Array | undefined): void {
    const vector = new BigUint64Array([address(packet), BigInt(packet.length)]);
    this.#keep.push(packet, vector, name);
    if (name) {
      view.setBigUint64(0, address(name as Uint8Array<ArrayBuffer>), true);
      view.setUint32(8, name.length, true);
    }
    view.setBigUint64(16, address(vector), true);
    view.setBigUint64(24, 1n, true);
  }
}

function address(view: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(view));
}

/** Floods as planned; says how many datagrams the kernel took. */
export function flood(plan: FloodPlan): void {
  const libc = openLibc();
  const clock = new HostClock();
  clock.sharpen();
  const packets = plan.packets.map((text) => Uint8Array.fromBase64(text));
  const raw = plan.kind === "packet";
  const fd = raw
    ? must("socket", libc.socket(AF_INET, SOCK_RAW, IPPROTO_RAW))
    : udpSocket(plan.address, plan.port, "connect");
  if (raw) setOption(fd, 1, 32, 8 << 20);
  const batches = new Batches(packets, raw ? sockaddr(plan.address, 0) : undefined);
  const start = clock.now();
  let sent = 0;
  for (let turn = 0;; turn++) {
    const due = start + turn * BATCH * 1e6 / plan.packetsPerSecond;
    clock.sleep(due - clock.now());
    if (clock.now() - start > plan.seconds * 1e6) break;
    const header = batches.headers[turn % batches.headers.length] as Uint8Array<ArrayBuffer>;
    sent += Math.max(0, libc.sendmmsg(fd, header, BATCH, 0));
  }
  say({ sent, elapsedUs: Math.round(clock.now() - start) } satisfies FloodReport);
}
