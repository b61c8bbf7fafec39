import { assertEquals } from "@std/assert";
import * as constants from "../../../src/platform/openbsd/constants.ts";
import { ERRNO } from "../../../src/platform/openbsd/errno.ts";
import { CMSG_DATA_BYTES, SOCKADDR_BYTES } from "../../../src/platform/openbsd/sockaddr.ts";
import { LIBC } from "../../../src/platform/openbsd/symbols.ts";
import { align, ERRORS, layoutsOf, NUMBERS, REQUESTS } from "./abi.ts";
import { MACHINES } from "./c_layout.ts";

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
