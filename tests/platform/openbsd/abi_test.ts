import { assertEquals, assertMatch } from "@std/assert";
import * as constants from "../../../src/platform/openbsd/constants.ts";
import { ERRNO } from "../../../src/platform/openbsd/errno.ts";
import { CMSG_DATA_BYTES, SOCKADDR_BYTES } from "../../../src/platform/openbsd/sockaddr.ts";
import { LIBC } from "../../../src/platform/openbsd/symbols.ts";
import {
  align,
  CONTROL_MACROS,
  ERRORS,
  layoutsOf,
  PLACED_NUMBERS,
  PLACED_WORDS,
  REQUESTS,
} from "./abi.ts";
import { DECLARATIONS } from "./abi_structures.ts";
import { type Declaration, MACHINES } from "./c_layout.ts";

/** Members of `constants.ts` that are structure layouts. */
const NOT_NUMBERS = /^(TUNINFO_|TUN_HDR_)/;
const PLACED: Readonly<Record<string, readonly [value: number | bigint, place: string]>> = {
  ...PLACED_NUMBERS,
  ...PLACED_WORDS,
};
const STRUCTURES: readonly [string, Declaration][] = Object.entries(DECLARATIONS);

Deno.test("every number of constants.ts is in the table, and the same", () => {
  const own = Object.entries(constants).filter(([name]) => !NOT_NUMBERS.test(name));
  assertEquals<unknown>(own, own.map(([name]) => [name, PLACED[name]?.[0]]));
});

Deno.test("every error number of errno.ts is in the table, and the same", () => {
  assertEquals<unknown>(
    Object.entries(ERRNO),
    Object.keys(ERRNO).map((name) => [name, ERRORS[name]?.[0]]),
  );
});

Deno.test("everything in the table has a place", () => {
  const places = [
    ...Object.values(PLACED).map(([, place]) => place),
    ...Object.values(ERRORS).map(([, place]) => place),
    ...STRUCTURES.map(([, { place }]) => place),
    ...Object.values(CONTROL_MACROS).map(({ place }) => place),
  ];
  for (const place of places) assertMatch(place, /^sys\/[\w/]+\.h:[1-9]\d*$/);
});

Deno.test("requests of ioctl(2) are what the macros of sys/sys/ioccom.h make of them", () => {
  const ioc = (direction: number, number: number, { size }: Declaration): bigint =>
    BigInt(direction) | BigInt(size & 0x1fff) << 16n | BigInt("t".charCodeAt(0)) << 8n |
    BigInt(number);
  const [out, into] = [0x4000_0000, 0x8000_0000];
  assertEquals<Record<string, bigint>>({ ...REQUESTS }, {
    TUNSIFINFO: ioc(into, 91, DECLARATIONS.tuninfo),
    TUNGIFINFO: ioc(out, 92, DECLARATIONS.tuninfo),
    TUNSCAP: ioc(into, 196, DECLARATIONS.tun_capabilities),
  });
});

Deno.test("the macros for control messages give what they give in C", () => {
  const header = align(DECLARATIONS.cmsghdr.size);
  for (const [bytes, result] of CONTROL_MACROS.CMSG_LEN.results) {
    assertEquals(header + bytes, result);
  }
  for (const [bytes, result] of CONTROL_MACROS.CMSG_SPACE.results) {
    assertEquals(header + align(bytes), result);
  }
});

for (const machine of MACHINES) {
  Deno.test(`structures have the sizes and offsets of the table, on ${machine}`, () => {
    const layouts = layoutsOf(machine);
    for (const [name, { size, members }] of STRUCTURES) {
      const { size: computed, offsets } = layouts[name as keyof typeof layouts];
      assertEquals([name, computed], [name, size]);
      assertEquals(
        offsets,
        Object.fromEntries(members.map(([member, , offset]) => [member, offset])),
      );
    }
  });

  Deno.test(`structures have the sizes and offsets that the code uses, on ${machine}`, () => {
    const { tuninfo, tun_hdr, sockaddr_in, sockaddr_in6, cmsghdr } = layoutsOf(machine);
    assertEquals(
      [tuninfo.size, tuninfo.offsets.mtu],
      [constants.TUNINFO_BYTES, constants.TUNINFO_MTU],
    );
    assertEquals(
      [tun_hdr.size, tun_hdr.offsets.th_flags, tun_hdr.offsets.th_mss],
      [constants.TUN_HDR_BYTES, constants.TUN_HDR_FLAGS, constants.TUN_HDR_MSS],
    );
    assertEquals(Math.max(sockaddr_in.size, sockaddr_in6.size), SOCKADDR_BYTES);
    assertEquals(align(cmsghdr.size), CMSG_DATA_BYTES);
  });
}

Deno.test("types whose width differs from Linux are declared as OpenBSD has them", () => {
  assertEquals(LIBC.ppoll.parameters[1], "u32", "nfds_t is an unsigned int");
  assertEquals(LIBC.ppollAsync.parameters, LIBC.ppoll.parameters);
  assertEquals(LIBC.ioctl.parameters[1], "u64", "a request must not be sign-extended");
  assertEquals([LIBC.recvmmsg.optional, LIBC.sendmmsg.optional], [true, true]);
});
