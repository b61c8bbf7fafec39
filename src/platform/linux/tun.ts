/**
 * Opens the TUN interface on Linux, with as much offload as the kernel has.
 *
 * Kernel documentation: Documentation/networking/tuntap.rst.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { NO_FRAMING } from "../../offload/framing.ts";
import { cString } from "../ffi.ts";
import { OffloadTun } from "../offload_tun.ts";
import { PlainTun } from "../plain_tun.ts";
import type { TunKind } from "../platform.ts";
import { type DeviceTun, TunDevice } from "../tun_device.ts";
import {
  IFF_NO_PI,
  IFF_TUN,
  IFF_VNET_HDR,
  IFNAMSIZ,
  IFREQ_FLAGS,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUNSETIFF,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { interfaceRequest, isInterfaceName } from "./interfaces.ts";
import { type Libc, systemError } from "./libc.ts";
import { hasVnetHeader, startOffload, stopOffload } from "./tun_offload.ts";

/** The device node. */
export const TUN_DEVICE = "/dev/net/tun";
/** Lets the kernel choose: it replaces `%d` by the lowest free number. */
const NAME_PATTERN = "agg%d";

/**
 * Opens the TUN interface `name`, or one that the kernel names `agg0`, `agg1`...
 * An existing interface that `ip tuntap add` made is taken over. Throws AggvpnError when there is
 * no device, no privilege or the name is in use.
 */
export function openTun(
  libc: Libc,
  name: string | undefined,
  kind: TunKind = "offload",
): DeviceTun {
  if (name !== undefined && (!isInterfaceName(name) || name.includes("%"))) {
    throw new AggvpnError(`Invalid interface name ${JSON.stringify(name)}`, {
      hint: "Use 1 to 15 characters without spaces, slashes, colons and percent signs.",
    });
  }
  const fd = libc.symbols.open(cString(TUN_DEVICE), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) throw deviceError(libc, libc.errno());
  const request = interfaceRequest(name ?? NAME_PATTERN);
  const header = kind === "offload" && hasVnetHeader(libc, fd) && attach(libc, fd, request, true);
  if (!header && !attach(libc, fd, request, false)) {
    const error = createError(libc, name ?? NAME_PATTERN, libc.errno());
    libc.symbols.close(fd);
    throw error;
  }
  const end = request.indexOf(0);
  const given = new TextDecoder().decode(request.subarray(0, Math.min(end, IFNAMSIZ - 1)));
  // An interface that stays must not keep handing out what its next user cannot read.
  const stop = (): void => stopOffload(libc, fd);
  const device = new TunDevice(libc, fd, given, { ERRNO, systemError }, stop);
  if (header) return new OffloadTun(device, startOffload(libc, fd));
  stop();
  return new PlainTun(device, NO_FRAMING);
}

/** Attaches `fd` to an interface, with a header if it may; the request holds its name afterwards. */
function attach(
  libc: Libc,
  fd: number,
  request: Uint8Array<ArrayBuffer>,
  header: boolean,
): boolean {
  const flags = new DataView(request.buffer);
  flags.setUint16(IFREQ_FLAGS, IFF_TUN | IFF_NO_PI | (header ? IFF_VNET_HDR : 0), true);
  return libc.symbols.ioctl(fd, TUNSETIFF, request) >= 0;
}

function deviceError(libc: Libc, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.ENOENT]: `Load the driver with "modprobe tun"; a container must be given the device.`,
    [ERRNO.ENODEV]: `Load the driver with "modprobe tun".`,
    [ERRNO.ENXIO]: `Load the driver with "modprobe tun".`,
    [ERRNO.EACCES]: "Run as root, or grant CAP_NET_ADMIN and access to the device.",
    [ERRNO.EPERM]: "Run as root; a container needs access to the device.",
  };
  return systemError(libc, `Cannot open "${TUN_DEVICE}"`, errno, hints[errno]);
}

function createError(libc: Libc, name: string, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.EPERM]: "Run as root, or grant CAP_NET_ADMIN.",
    [ERRNO.EBUSY]: "Another program uses it: stop that, or set another tunnel.interface.",
    [ERRNO.EINVAL]: "An interface of another kind has that name: set another tunnel.interface.",
  };
  return systemError(libc, `Cannot create TUN interface "${name}"`, errno, hints[errno]);
}
