import { assertEquals } from "@std/assert";
import * as constants from "../../../src/platform/openbsd/constants.ts";
import { ERRNO } from "../../../src/platform/openbsd/errno.ts";
import { CMSG_DATA_BYTES, SOCKADDR_BYTES } from "../../../src/platform/openbsd/sockaddr.ts";
import { LIBC } from "../../../src/platform/openbsd/symbols.ts";
import { align, ERRORS, layoutsOf, NUMBERS, REQUESTS } from "./abi.ts";
import { MACHINES } from "./c_layout.ts";
import { ERRORS_IN_HEADERS, NUMBERS_IN_HEADERS, STRUCTURES_IN_HEADERS } from "./headers.ts";

/** Members of `constants.ts` that are structure layouts or handlers of signal(3). */
const NOT_NUMBERS = /^(TUNINFO_|TUN_HDR_|SIG_)/;

Deno.test("every number of constants.ts is that of an independent table", () => {
  const independent: Record<string, number | bigint> = { ...NUMBERS, ...REQUESTS };
  const own = Object.entries(constants).filter(([name]) => !NOT_NUMBERS.test(name));
  assertEquals(own, own.map(([name]) => [name, independent[name]!]));
  assertEquals([constants.SIG_IGN, constants.SIG_ERR], [1n, BigInt.asUintN(64, -1n)]);
});

Deno.test("every error number is that of an independent table", () => {
  assertEquals<unknown>(
    Object.entries(ERRNO),
    Object.keys(ERRNO).map((name) => [name, ERRORS[name]?.[0]]),
  );
});

for (const machine of MACHINES) {
  Deno.test(`structures have the sizes and offsets that the code uses, on ${machine}`, () => {
    const {
      tuninfo,
      tun_hdr,
      sockaddr_in,
      sockaddr_in6,
      cmsghdr,
      msghdr,
      mmsghdr,
      iovec,
      ...rest
    } = layoutsOf(machine);
    assertEquals(
      [tuninfo.size, tuninfo.offsets.mtu],
      [constants.TUNINFO_BYTES, constants.TUNINFO_MTU],
    );
    assertEquals(
      [tun_hdr.size, tun_hdr.offsets.th_flags, tun_hdr.offsets.th_mss],
      [constants.TUN_HDR_BYTES, constants.TUN_HDR_FLAGS, constants.TUN_HDR_MSS],
    );
    assertEquals([rest.tun_capabilities.size, Object.keys(rest.tun_capabilities.offsets)], [
      4,
      ["tun_if_capabilities"],
    ]);
    assertEquals(Math.max(sockaddr_in.size, sockaddr_in6.size), SOCKADDR_BYTES);
    assertEquals(align(cmsghdr.size), CMSG_DATA_BYTES);
    // What the kernel's own headers give: computed by clang for both machines.
    assertEquals([msghdr.size, mmsghdr.size, iovec.size, cmsghdr.size], [48, 56, 16, 12]);
    assertEquals(Object.values(msghdr.offsets), [0, 8, 16, 24, 32, 40, 44]);
    assertEquals(mmsghdr.offsets.msg_len, 48);
    assertEquals([rest.pollfd.size, rest.timespec.size, rest.in6_pktinfo.size], [8, 16, 20]);
  });
}

Deno.test("types whose width differs from Linux are declared as OpenBSD has them", () => {
  assertEquals(LIBC.ppoll.parameters[1], "u32", "nfds_t is an unsigned int");
  assertEquals(LIBC.ppollAsync.parameters, LIBC.ppoll.parameters);
  assertEquals(LIBC.ioctl.parameters[1], "u64", "a request must not be sign-extended");
  assertEquals([LIBC.recvmmsg.optional, LIBC.sendmmsg.optional], [true, true]);
});

/** `sys/` and the rest of a path, a line. */
const PLACE = /^sys\/[a-z0-9_/]+\.h:[1-9]\d*$/;

Deno.test("every number of the port and of the tests is that of a line of the headers", () => {
  const own = Object.entries(constants).filter(([name]) => !/^(TUNINFO_|TUN_HDR_)/.test(name));
  const all = [...own, ...Object.entries(NUMBERS), ...Object.entries(REQUESTS)]
    .map(([name, value]) => [name, name === "SIG_ERR" ? -1 : Number(value)] as const);
  assertEquals<unknown>(all, all.map(([name]) => [name, NUMBERS_IN_HEADERS[name]?.[0]]));
  const used = new Set(all.map(([name]) => name));
  assertEquals(Object.keys(NUMBERS_IN_HEADERS).filter((name) => !used.has(name)), []);
});

Deno.test("every error number is that of a line of the headers", () => {
  const all = [
    ...Object.entries(ERRNO),
    ...Object.entries(ERRORS).map(([name, [number]]) => [name, number] as const),
  ];
  assertEquals<unknown>(all, all.map(([name]) => [name, ERRORS_IN_HEADERS[name]?.[0]]));
});

for (const machine of MACHINES) {
  Deno.test(`every structure is laid out as the headers' are, on ${machine}`, () => {
    const layouts = Object.entries(layoutsOf(machine));
    assertEquals(
      layouts.map(([name, { size, offsets }]) => [name, size, offsets]),
      layouts.map(([name]) => [name, ...STRUCTURES_IN_HEADERS[name]?.slice(1) ?? []]),
    );
  });
}

Deno.test("every place names a header and a line", () => {
  const places = [
    ...[...Object.values(NUMBERS_IN_HEADERS), ...Object.values(ERRORS_IN_HEADERS)]
      .map(([, place]) => place),
    ...Object.values(STRUCTURES_IN_HEADERS).map(([place]) => place),
  ];
  assertEquals(places.filter((place) => !PLACE.test(place)), []);
});
