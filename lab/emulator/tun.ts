/**
 * A TUN interface opened inside another network namespace and kept by this
 * process: the end of a line that the namespace sees.
 *
 * @module
 */

import { cString, must, openLibc } from "../libc.ts";

const O_RDWR_NONBLOCK_CLOEXEC = 0x2 | 0x800 | 0x80000;
const O_RDONLY_CLOEXEC = 0x80000;
const CLONE_NEWNET = 0x40000000;
const TUNSETIFF = 0x400454can;
const IFF_TUN_NO_PI = 0x1001;

/** Opens `/dev/net/tun` as seen from namespace `namespace`; returns the descriptor, non-blocking. */
export function openTunIn(namespace: string, name: string): number {
  const libc = openLibc();
  const home = must("open", libc.open(cString("/proc/thread-self/ns/net"), O_RDONLY_CLOEXEC));
  const there = must("open", libc.open(cString(`/run/netns/${namespace}`), O_RDONLY_CLOEXEC));
  must("setns", libc.setns(there, CLONE_NEWNET));
  try {
    const fd = must("open", libc.open(cString("/dev/net/tun"), O_RDWR_NONBLOCK_CLOEXEC));
    const request = new Uint8Array(40);
    request.set(new TextEncoder().encode(name));
    new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true);
    must("ioctl(TUNSETIFF)", libc.ioctl(fd, TUNSETIFF, request));
    return fd;
  } finally {
    must("setns", libc.setns(home, CLONE_NEWNET));
    libc.close(home);
    libc.close(there);
  }
}
