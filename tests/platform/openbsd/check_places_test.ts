import { assert, assertEquals } from "@std/assert";
import { CONTROL_MACROS, ERRORS, PLACED_NUMBERS, PLACED_WORDS } from "./abi.ts";
import { FUNCTIONS } from "./abi_functions.ts";
import { PLACED_LIMITS } from "./abi_limits.ts";
import { DECLARATIONS } from "./abi_structures.ts";
import { findDifferences } from "./check_places.ts";

/** Files in which everything is where the table says. */
function sources(): Map<string, string[]> {
  const files = new Map<string, string[]>();
  const put = (place: string, line: string): void => {
    const [file = "", number] = place.split(":");
    if (!files.has(file)) files.set(file, new Array(700).fill(""));
    files.get(file)![Number(number) - 1] = line;
  };
  for (const [name, [value, place]] of Object.entries({ ...PLACED_NUMBERS, ...PLACED_WORDS })) {
    put(place, `#define\t${name}\t0x${value.toString(16)}\t/* a comment */`);
  }
  for (const [name, [value, place]] of Object.entries(ERRORS)) {
    put(place, `#define ${name} ${value}`);
  }
  for (const [name, { place, members }] of Object.entries(DECLARATIONS)) {
    put(place, `struct ${name} {`);
    for (const [member, , , line] of members) {
      put(place.replace(/\d+$/, `${line}`), `int ${member};`);
    }
  }
  for (const [name, { place }] of Object.entries(CONTROL_MACROS)) put(place, `#define ${name}(n)`);
  for (const [name, [, place]] of Object.entries(PLACED_LIMITS)) put(place, `${name} = 1;`);
  for (const [name, [, place]] of Object.entries(FUNCTIONS)) put(place, `int ${name}(void);`);
  return files;
}

/** Replaces the line of `name` in `file`. */
function differences(file: string, name: string, line: string, anywhere = false): string[] {
  const files = sources();
  const lines = files.get(file)!;
  const at = lines.findIndex((one) => new RegExp(`\\b${name}\\b`).test(one));
  assert(at >= 0, name);
  lines.splice(at, 1, ...line.split("\n"));
  return findDifferences((wanted) => files.get(wanted)!, anywhere);
}

Deno.test("findDifferences() finds none in sources that are as the table says", () => {
  assertEquals(differences("sys/net/if.h", "IFNAMSIZ", "#define IFNAMSIZ 16"), []);
});

Deno.test("findDifferences() understands how headers write numbers", () => {
  const { TUNSCAP: [, scap], TUN_H_TCP_MSS: [, mss] } = { ...PLACED_WORDS, ...PLACED_NUMBERS };
  assertEquals([scap, mss].map((place) => place.split(":")[0]), Array(2).fill("sys/net/if_tun.h"));
  const equal = [
    ["sys/net/if_tun.h", "TUN_H_TCP_MSS", "#define TUN_H_TCP_MSS\t\t(1 << 5)  /* cut */"],
    ["sys/net/if_tun.h", "TUNSCAP", "#define\tTUNSCAP _IOW('t', 196, struct tun_capabilities)"],
    ["sys/net/if_tun.h", "TUNGIFINFO", "#define\tTUNGIFINFO _IOR('t', 92, struct tuninfo)"],
    ["sys/sys/signal.h", "SIG_ERR", "#define\tSIG_ERR (void (*)(int))-1"],
    ["sys/netinet/in.h", "IP_SENDSRCADDR", "#define IP_SENDSRCADDR IP_RECVDSTADDR  /* same */"],
  ] as const;
  for (const [file, name, line] of equal) assertEquals(differences(file, name, line), []);
});

Deno.test("findDifferences() tells of other numbers, other lines and what is not understood", () => {
  const { AF_INET6: [, place] } = PLACED_NUMBERS;
  const file = "sys/sys/socket.h";
  assertEquals(differences(file, "AF_INET6", "#define AF_INET6 10"), [
    `${place}: AF_INET6 is 10, not 24`,
  ]);
  assertEquals(differences(file, "AF_INET6", "#define AF_INET6 f(24)"), [
    `${place}: AF_INET6 is undefined, not 24`,
  ]);
  assertEquals(differences(file, "AF_INET6", "#define OTHER 1"), [`${place}: no AF_INET6`]);
  const moved = differences(file, "AF_INET6", "\n#define AF_INET6 24");
  assertEquals(moved.includes(`${place}: no AF_INET6`), true);
  assertEquals(differences(file, "AF_INET6", "\n#define AF_INET6 24", true), []);
});
