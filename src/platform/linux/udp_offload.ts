/**
 * Whether this kernel takes and gives datagrams in trains: udp(7), UDP_SEGMENT and UDP_GRO.
 *
 * Both are asked for at run time. A few releases have them with bugs; those go without.
 *
 * @module
 */

import { SOL_UDP, UDP_GRO, UDP_SEGMENT } from "./constants.ts";
import type { Libc } from "./libc.ts";

/** Joined datagrams of a socket without a peer may lose their ends before this release. */
const GRO_SINCE = [5, 12, 0] as const;
/** From the first release to before the second, trains of equal datagrams are corrupted. */
const SEGMENT_BROKEN = [[7, 0, 0], [7, 1, 5]] as const;

type Release = readonly [number, number, number];

/** Asks for joined datagrams on socket `fd`; otherwise each comes alone. */
export function joinReceived(libc: Libc, fd: number, release: string): void {
  if (!isBefore(parseRelease(release), GRO_SINCE)) {
    libc.symbols.setsockopt(fd, SOL_UDP, UDP_GRO, Uint32Array.of(1), 4);
  }
}

/** Whether trains can be sent on socket `fd`. */
export function canSendTrains(libc: Libc, fd: number, release: string): boolean {
  const parsed = parseRelease(release);
  if (!isBefore(parsed, SEGMENT_BROKEN[0]) && isBefore(parsed, SEGMENT_BROKEN[1])) return false;
  const value = new Uint32Array(1);
  return libc.symbols.getsockopt(fd, SOL_UDP, UDP_SEGMENT, value, Uint32Array.of(4)) === 0;
}

/** Reads such as `6.1.0-13-amd64`; what it cannot read counts as very old. */
function parseRelease(text: string): Release {
  const [, major = "0", minor = "0", patch = "0"] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}

function isBefore(a: Release, b: Release): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]!;
  }
  return false;
}
