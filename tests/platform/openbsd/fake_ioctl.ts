/**
 * ioctl(2) of the fake, which knows the requests of tun(4): tun_dev_ioctl() of sys/net/if_tun.c.
 *
 * @module
 */

import type { Layouts, NUMBERS, REQUESTS } from "./abi.ts";
import * as decode from "./decode.ts";
import type { FakeTun } from "./fake_tun.ts";
import { hex, Struct } from "./memory.ts";

const CAPABILITIES = [
  "IFCAP_CSUM_TCPv4",
  "IFCAP_CSUM_UDPv4",
  "IFCAP_CSUM_TCPv6",
  "IFCAP_CSUM_UDPv6",
  "IFCAP_TSOv4",
  "IFCAP_TSOv6",
] as const satisfies readonly (keyof typeof NUMBERS)[];

/** One request and its argument. */
export class TunRequest {
  readonly #layouts: Layouts;
  readonly #argument: Struct;

  constructor(
    readonly name: keyof typeof REQUESTS,
    argument: Uint8Array<ArrayBuffer>,
    layouts: Layouts,
  ) {
    this.#layouts = layouts;
    this.#argument = new Struct(argument);
    const { size } = name === "TUNSCAP" ? layouts.tun_capabilities : layouts.tuninfo;
    if (argument.length !== size) throw new Error(`${name} with ${argument.length} bytes`);
  }

  /** What the kernel is given. */
  describe(): string {
    if (this.name === "TUNGIFINFO") return "*";
    if (this.name === "TUNSIFINFO") return this.#infoText();
    return `{${decode.flags(this.#argument.u32(0), ...CAPABILITIES)} {${this.#hex()}}}`;
  }

  /** Carries it out; returns the result, and what to record. */
  run(tun: FakeTun): number | readonly [number, string] {
    const argument = this.#argument;
    const { mtu = 0, type = 0, flags = 0 } = this.#layouts.tuninfo.offsets;
    switch (this.name) {
      case "TUNSCAP":
        tun.setCapabilities(argument.u32(0));
        return 0;
      case "TUNSIFINFO":
        tun.setInfo(argument.u32(mtu), argument.u16(type), argument.u16(flags));
        return 0;
      case "TUNGIFINFO":
        argument.setU32(mtu, tun.mtu);
        argument.setU16(type, tun.type);
        argument.setU16(flags, tun.flags);
        return [0, this.#infoText()];
    }
  }

  #infoText(): string {
    return `{mtu ${this.#argument.u32(this.#layouts.tuninfo.offsets.mtu!)} {${this.#hex()}}}`;
  }

  #hex(): string {
    return hex(this.#argument.bytes);
  }
}
