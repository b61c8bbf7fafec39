/**
 * Blocking sockets for the traffic tools.
 *
 * @module
 */

import { cString, errno, must, openLibc } from "../libc.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CONGESTION = 13;

/** A `struct sockaddr_in` or `sockaddr_in6` for an address as people write it. */
export function sockaddr(address: string, port: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(address.includes(":") ? 28 : 16);
  const view = new DataView(out.buffer);
  view.setUint16(0, address.includes(":") ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  if (address.includes(":")) out.set(ipv6Bytes(address), 8);
  else out.set(address.split(".").map(Number), 4);
  return out;
}

function ipv6Bytes(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 255]);
}

function open(address: string, type: number): number {
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  return must("socket", openLibc().socket(family, type, 0));
}

/** Sets an integer option, quietly. */
export function setOption(fd: number, level: number, option: number, value: number): void {
  openLibc().setsockopt(fd, level, option, new Int32Array([value]), 4);
}

/** Makes blocking calls give up with EAGAIN after `us` microseconds. */
export function setTimeouts(fd: number, us: number): void {
  const timeval = new Uint32Array([Math.floor(us / 1e6), 0, us % 1e6, 0]);
  openLibc().setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, 16);
  openLibc().setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval, 16);
}

/**
 * Chooses the congestion control. A namespace inherits the host's default, and sysctl may forbid
 * others, but never to root.
 */
function setCongestion(fd: number, congestion: string): void {
  const name = cString(congestion);
  openLibc().setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length - 1);
}

/** A TCP socket that listens. */
export function tcpListen(address: string, port: number): number {
  const libc = openLibc();
  const fd = open(address, SOCK_STREAM);
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  const name = sockaddr(address, port);
  must("bind", libc.bind(fd, name, name.length));
  must("listen", libc.listen(fd, 8));
  return fd;
}

/**
 * A connected TCP socket; throws when nobody answers within 5 s.
 * @param congestion its congestion control, by default what most senders in the world use
 */
export function tcpConnect(address: string, port: number, congestion = "cubic"): number {
  const libc = openLibc();
  const fd = open(address, SOCK_STREAM);
  setTimeouts(fd, 5_000_000);
  setCongestion(fd, congestion);
  const name = sockaddr(address, port);
  if (libc.connect(fd, name, name.length) === 0) return fd;
  const code = errno();
  libc.close(fd);
  throw new Error(`connect to ${address}:${port}: errno ${code}`);
}

/** A UDP socket with large buffers, bound when a port is given, else connected to `address`. */
export function udpSocket(address: string, port: number, role: "bind" | "connect"): number {
  const libc = openLibc();
  const fd = open(address, SOCK_DGRAM);
  setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
  setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20);
  const name = sockaddr(address, port);
  if (role === "bind") must("bind", libc.bind(fd, name, name.length));
  else must("connect", libc.connect(fd, name, name.length));
  return fd;
}

/** The congestion control of a TCP socket. */
export function congestionControl(fd: number): string {
  const name = new Uint8Array(16);
  openLibc().getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, new Uint32Array([16]));
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}

/** Segments sent again so far (`tcpi_total_retrans`, at 100 in `struct tcp_info`). */
export function retransmits(fd: number): number {
  const info = new Uint8Array(104);
  openLibc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, new Uint32Array([info.length]));
  return new DataView(info.buffer).getUint32(100, true);
}

/** Prints one JSON object as a line. */
export function say(value: unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
  for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
}
