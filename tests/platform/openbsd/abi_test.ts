import { assert, assertEquals, assertExists, assertMatch } from "@std/assert";
import * as constants from "../../../src/platform/openbsd/constants.ts";
import { ERRNO } from "../../../src/platform/openbsd/errno.ts";
import { RECEIVE_BUFFER_BYTES } from "../../../src/platform/openbsd/socket_setup.ts";
import * as structures from "../../../src/platform/openbsd/structures.ts";
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
import { FUNCTIONS } from "./abi_functions.ts";
import { LIMITS, PLACED_LIMITS } from "./abi_limits.ts";
import { DECLARATIONS } from "./abi_structures.ts";
import { type Declaration, MACHINES } from "./c_layout.ts";

const PLACED: Readonly<Record<string, readonly [value: number | bigint, place: string]>> = {
  ...PLACED_NUMBERS,
  ...PLACED_WORDS,
};
/** What C's headers put in front of the names of members. */
const MEMBER_PREFIX = /^(s|sin6?|iov|msg|cmsg|ipi6|tv|th|rtm|ifm|ifi|ifam|ifan|sdl)_/;
const STRUCTURES: readonly [string, Declaration][] = Object.entries(DECLARATIONS);

Deno.test("every number of constants.ts is in the table, and the same", () => {
  const own = Object.entries(constants);
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
    ...Object.values(PLACED_LIMITS).map(([, place]) => place),
    ...Object.values(FUNCTIONS).map(([, place]) => place),
  ];
  for (const place of places) {
    assertMatch(place, /^(?:sys|include|etc)\/[\w./]+\.(?:h|c|conf):[1-9]\d*$/);
  }
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

Deno.test("control messages are as long as the macros say in C", () => {
  const { CMSG_LEN, CMSG_SPACE } = CONTROL_MACROS;
  const header = align(DECLARATIONS.cmsghdr.size);
  for (const [bytes, result] of CMSG_LEN.results) {
    assertEquals([header + bytes, structures.controlLength(bytes)], [result, result]);
  }
  for (const [bytes, result] of CMSG_SPACE.results) {
    const own = structures.controlSpace(bytes);
    assertEquals([header + align(bytes), own], [result, result]);
  }
  assertEquals(structures.CMSG_DATA, CMSG_LEN.results[0][1]);
});

/**
 * Sizes and offsets by the names of structures.ts: `MSGHDR_BYTES` is the size of struct msghdr,
 * `MSGHDR_IOVLEN` the offset of its member msg_iovlen.
 */
const BY_NAME: Readonly<Record<string, number>> = Object.fromEntries(
  STRUCTURES.flatMap(([name, { size, members }]) => [
    [`${name}_bytes`.toUpperCase(), size],
    ...members.map(([member, , offset]) =>
      [`${name}_${member.replace(MEMBER_PREFIX, "")}`.toUpperCase(), offset] as const
    ),
  ]),
);

Deno.test("every size and offset of structures.ts is in the table, and the same", () => {
  const own = Object.entries(structures).filter(([, value]) => typeof value === "number");
  const expected = own.map(([name]) => [name, name === "CMSG_DATA" ? 16 : BY_NAME[name]]);
  assertEquals<unknown>(own, expected);
  assertEquals(
    Object.keys(structures).filter((name) => !own.some(([known]) => known === name)),
    ["controlLength", "controlSpace"],
  );
});

Deno.test("both socket addresses have length, family and port in the same places", () => {
  const [ipv4, ipv6] = [DECLARATIONS.sockaddr_in, DECLARATIONS.sockaddr_in6]
    .map(({ members }) => members.slice(0, 3).map(([name, , at]) => [name.split("_")[1], at]));
  assertEquals(ipv4, ipv6);
});

Deno.test("every message of route(4) begins like the one of a route", () => {
  const heads = (["rt_msghdr", "if_msghdr", "ifa_msghdr", "if_announcemsghdr"] as const)
    .map((name) => DECLARATIONS[name].members.slice(0, 5).map(([, type, at]) => [type, at]));
  for (const head of heads) assertEquals<unknown>(head, heads[0]);
  const tails = (["rt_msghdr", "if_msghdr", "ifa_msghdr"] as const).map((name) =>
    DECLARATIONS[name].members.filter(([member]) => /_(tableid|addrs|flags)$/.test(member))
      .map(([, type, at]) => [type, at])
  );
  for (const tail of tails) assertEquals<unknown>(tail, tails[0]);
});

for (const machine of MACHINES) {
  Deno.test(`the rules of the ABI give the sizes and offsets of the table, on ${machine}`, () => {
    const layouts = layoutsOf(machine);
    for (const [name, { size, members }] of STRUCTURES) {
      const computed = layouts[name as keyof typeof layouts];
      const offsets = Object.fromEntries(members.map(([member, , offset]) => [member, offset]));
      assertEquals([name, computed.size, computed.offsets], [name, size, offsets]);
    }
  });
}

/** Numbers that modules choose themselves: none of these is the kernel's. */
const OWN_NUMBERS: readonly string[] = [
  "network_watch.ts MOST_MESSAGES",
  "network_watch.ts MAX_SEQUENCE",
  "route_socket.ts BUFFER_BYTES",
  "duplicates.ts PAUSE_MS",
  "duplicates.ts MAX_LOOKS",
  "pf.ts IPV4_TCP_HEADER_BYTES",
  "pf.ts IPV6_TCP_HEADER_BYTES",
  "poller.ts MAX_WAIT_S",
  "socket_setup.ts LEAST_BUFFER_BYTES",
  "tun.ts MAX_UNIT",
  "tun_header.ts FAMILY_BYTES",
];

Deno.test("no other module has a number of the kernel that is not in the table", () => {
  const folder = new URL("../../../src/platform/openbsd/", import.meta.url);
  const found: string[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (/^(constants|structures)\.ts$/.test(name)) continue;
    const text = Deno.readTextFileSync(new URL(name, folder));
    const numbers = text.matchAll(/^(?:export )?const (\w+)(?:: \w+)? = [\da-fnx_()+*/<>. -]+;/gm);
    for (const [, constant] of numbers) found.push(`${name} ${constant}`);
  }
  const ofKernel = found.filter((constant) => !OWN_NUMBERS.includes(constant));
  assertEquals(ofKernel, ["socket_setup.ts RECEIVE_BUFFER_BYTES"]);
  assertEquals(RECEIVE_BUFFER_BYTES, LIMITS.SB_MAX);
  assertEquals(OWN_NUMBERS.filter((constant) => !found.includes(constant)), []);
});

/** FFI types by what C has there; `usize` is an address that was computed before. */
const FFI_TYPES: Readonly<Record<string, readonly string[]>> = {
  i4: ["i32"],
  u4: ["u32"],
  u8: ["u64", "usize"],
  p: ["buffer", "pointer", "usize"],
  // Counts of bytes below 2 GiB, and -1: the lower half is enough.
  i8: ["i32"],
};

Deno.test("every function of symbols.ts has the parameters and the result of its prototype", () => {
  for (const [key, symbol] of Object.entries(LIBC)) {
    const name = "name" in symbol ? symbol.name : key;
    const types = FUNCTIONS[name]?.[0];
    assertExists(types, `no prototype of ${name}`);
    const expected = types.match(/[iu]\d|p/g)!;
    // In place of the rest of its arguments.
    if (name === "ioctl") expected.push("p");
    const own: readonly string[] = [symbol.result, ...symbol.parameters];
    assertEquals(own.length, expected.length, `${name}(): ${own}`);
    for (const [i, type] of own.entries()) {
      assert(FFI_TYPES[expected[i]!]!.includes(type), `${name}(): ${type} for ${expected[i]}`);
    }
  }
});

Deno.test("types whose width differs from Linux are declared as OpenBSD has them", () => {
  assertEquals(LIBC.ppoll.parameters[1], "u32", "nfds_t is an unsigned int");
  assertEquals(LIBC.ppollAsync.parameters, LIBC.ppoll.parameters);
  assertEquals(LIBC.ioctl.parameters[1], "u64", "a request must not be sign-extended");
  assertEquals([LIBC.recvmmsg.optional, LIBC.sendmmsg.optional], [true, true]);
});
