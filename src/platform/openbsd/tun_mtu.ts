/**
 * The MTU of a tun interface, by the requests of tun(4): not possible after pledge(2).
 *
 * @module
 */

import { MAX_PACKET_BYTES } from "../../slab.ts";
import { TUNGIFINFO, TUNSIFINFO } from "./constants.ts";
import { type Libc, systemError } from "./libc.ts";
import { TUNINFO_BYTES, TUNINFO_MTU } from "./structures.ts";

/** An interface that is open. */
interface OpenInterface {
  readonly fd: number;
  readonly name: string;
}

/**
 * Lowers the MTU to what slots can hold: hostname.if(5) may have set a larger one. Throws
 * AggvpnError.
 */
export function limitMtu(libc: Libc, tun: OpenInterface): void {
  if (readInfo(libc, tun).getUint32(TUNINFO_MTU, true) > MAX_PACKET_BYTES) {
    setMtu(libc, tun, MAX_PACKET_BYTES);
  }
}

/** Sets the MTU in bytes. Throws AggvpnError. */
export function setMtu(libc: Libc, tun: OpenInterface, mtu: number): void {
  const info = readInfo(libc, tun);
  info.setUint32(TUNINFO_MTU, mtu, true);
  request(libc, tun, TUNSIFINFO, info, "set the MTU of");
}

/** Returns struct tuninfo. The kernel wants type and flags back as it gave them. */
function readInfo(libc: Libc, tun: OpenInterface): DataView<ArrayBuffer> {
  const info = new DataView(new ArrayBuffer(TUNINFO_BYTES));
  request(libc, tun, TUNGIFINFO, info, "look at");
  return info;
}

function request(
  libc: Libc,
  { fd, name }: OpenInterface,
  number: bigint,
  info: DataView<ArrayBuffer>,
  what: string,
): void {
  if (libc.symbols.ioctl(fd, number, new Uint8Array(info.buffer)) >= 0) return;
  throw systemError(libc, `Cannot ${what} interface "${name}"`, libc.errno("ioctl"));
}
