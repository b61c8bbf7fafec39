import { assertEquals } from "@std/assert";
import plugin from "../../tools/lint_plugin.ts";

/** What the house rules say about a file; nothing when it obeys them. */
function complaints(file: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, `/repo/src/${file}`, text).map(({ id }) => id);
}

const RULES: readonly [rule: string, file: string, bad: string, good: string][] = [
  [
    "aggvpn/layers",
    "wire/ip.ts",
    'import { Peer } from "../tunnel/peer.ts"; Peer;',
    'import { readU16 } from "./field.ts"; readU16;',
  ],
  [
    "aggvpn/layers",
    "io/driver.ts",
    'import { Daemon } from "../daemon/daemon.ts"; Daemon;',
    'import { Endpoint } from "../tunnel/endpoint.ts"; Endpoint;',
  ],
  ["aggvpn/pure-core", "links/rtt.ts", "Date.now();", "const now = 1; now;"],
  ["aggvpn/pure-core", "daemon/plan.ts", "Date.now();", "const now = 1; now;"],
  ["aggvpn/pure-core", "queue/codel.ts", "Math.random();", "Math.max(1, 2);"],
  [
    "aggvpn/wire-layout",
    "receiver/receiver.ts",
    "export const f = (b: Uint8Array, at: number) => b[at + 5];",
    "export const f = (b: Uint8Array, at: number, n: number) => b[at + n];",
  ],
  [
    "aggvpn/wire-layout",
    "crypto/handshake.ts",
    "export const f = (datagram: Uint8Array) => datagram[1];",
    "export const f = (datagram: Uint8Array, nonce: Uint8Array) => nonce[3] = datagram[LINK]!;",
  ],
  [
    "aggvpn/wire-layout",
    "tunnel/endpoint.ts",
    "export const f = (datagram: Uint8Array) => readU32(datagram, 2);",
    "export const f = (bytes: Uint8Array, at: number) => readU32(bytes, 0) + readU32(bytes, at);",
  ],
  [
    "aggvpn/c-library",
    "platform/linux/libc.ts",
    'Deno.dlopen("libc.so.6", {});',
    'Deno.open("libc.so.6");',
  ],
  [
    "aggvpn/kill-by-number",
    "daemon/script.ts",
    'export const f = (c: Deno.ChildProcess) => c.kill("SIGKILL");',
    "export const f = (h: { kill(pid: number): void }, pid: number) => h.kill(pid);",
  ],
  [
    "aggvpn/kill-by-number",
    "platform/linux/signals.ts",
    'export const f = (pid: number) => Deno.kill(pid, "SIGTERM");',
    "export const f = (k: { kill(a: number, b: number): void }) => k.kill(1, 9);",
  ],
];

for (const [rule, file, bad, good] of RULES) {
  Deno.test(`lint: ${rule} finds what it is for in ${file}, and nothing else`, () => {
    assertEquals(complaints(file, bad), [rule]);
    assertEquals(complaints(file, good), []);
  });
}

Deno.test("lint: layouts may be known in wire/, libraries opened in one file, signals named for tests", () => {
  assertEquals(complaints("wire/data.ts", "export const f = (at: number) => at + 5;"), []);
  assertEquals(complaints("platform/c_library.ts", 'Deno.dlopen("x", {});'), []);
  assertEquals(complaints("platform/memory/platform.ts", 'Deno.kill(1, "SIGKILL");'), []);
});
