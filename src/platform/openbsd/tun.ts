/**
 * Opens the TUN interface on OpenBSD, with the offload that its tun(4) has.
 *
 * Opening `/dev/tunN` makes the interface, and closing it removes it again, with addresses and
 * routes. One that ifconfig(8) or hostname.if(5) made stays, but is then down.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { cString } from "../ffi.ts";
import { OffloadTun } from "../offload_tun.ts";
import { PlainTun } from "../plain_tun.ts";
import type { TunKind } from "../platform.ts";
import { type DeviceTun, TunDevice } from "../tun_device.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";
import { OPEN_FILES_HINT } from "./open_files.ts";
import { FAMILY_FRAMING } from "./tun_header.ts";
import { limitMtu } from "./tun_mtu.ts";
import { startOffload } from "./tun_offload.ts";

/** Highest unit that is tried when no name is given; MAKEDEV(8) makes fewer nodes than that. */
const MAX_UNIT = 255;

/** Returns the device node of the interface `name`. */
export function tunDevice(name: string): string {
  return `/dev/${name}`;
}

/** Tells whether `name` is that of a tun interface: `tun` and a number. */
export function isTunName(name: string): boolean {
  return /^tun(0|[1-9]\d{0,2})$/.test(name);
}

/**
 * Opens the TUN interface `name`, or the first of `tun0`, `tun1`... that is free. Throws
 * AggvpnError when there is no device node, no privilege or the interface is in use.
 */
export function openTun(
  libc: Libc,
  name: string | undefined,
  kind: TunKind = "offload",
): DeviceTun {
  if (name !== undefined && !isTunName(name)) {
    throw new AggvpnError(`Invalid interface name ${JSON.stringify(name)}`, {
      hint:
        "OpenBSD calls tunnel interfaces tun0, tun1, ...; leave out tunnel.interface to get one.",
    });
  }
  const { fd, taken } = name === undefined
    ? openFree(libc)
    : { fd: openUnit(libc, name), taken: name };
  if (fd < 0) throw openError(libc, taken, libc.errno("open"));
  const device = new TunDevice(libc, fd, taken, { ERRNO, systemError });
  try {
    limitMtu(libc, device);
  } catch (error) {
    device.close();
    throw error;
  }
  const offload = kind === "offload" ? startOffload(libc, fd) : undefined;
  return offload ? new OffloadTun(device, offload) : new PlainTun(device, FAMILY_FRAMING);
}

/** Returns a negative descriptor when it failed; errno tells why. */
function openUnit(libc: Libc, name: string): number {
  return libc.symbols.open(cString(tunDevice(name)), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

function openFree(libc: Libc): { fd: number; taken: string } {
  for (let unit = 0;; unit++) {
    const taken = `tun${unit}`;
    const fd = openUnit(libc, taken);
    if (fd >= 0 || unit === MAX_UNIT || libc.errno("open") !== ERRNO.EBUSY) return { fd, taken };
  }
}

function openError(libc: Libc, name: string, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.ENOENT]: `Make the device node: "cd /dev && sh MAKEDEV ${name}".`,
    [ERRNO.EBUSY]: "Another program uses it: stop that, or set another tunnel.interface.",
    [ERRNO.ENXIO]: "This kernel has no tun(4); set another tunnel.interface if it has others.",
    [ERRNO.EACCES]: "Run as root.",
    [ERRNO.EPERM]: "Run as root.",
    [ERRNO.EMFILE]: OPEN_FILES_HINT,
  };
  return systemError(libc, `Cannot open "${tunDevice(name)}"`, errno, hints[errno]);
}
