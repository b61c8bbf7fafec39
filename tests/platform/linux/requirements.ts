/**
 * What the tests of this folder need, and a network of their own.
 *
 * `unshare(2)` and `setns(2)` move one thread. Every system call of the platform
 * but the poller's wait is made on the JavaScript thread, and so are the commands it
 * starts, so a synchronous test can live in a network namespace without a child process.
 */

import { cString } from "../../../src/platform/ffi.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { allOf, type HostTool, missingTool, skippedFor } from "../../host_tools.ts";

const hasFfi = Deno.permissions.querySync({ name: "ffi" }).state === "granted";

/** Whether to skip a test of Linux system calls. */
export const NOT_LINUX = Deno.build.os !== "linux" || !hasFfi;

// Opened outside a test, or the first one to need it would seem to leak it.
if (!NOT_LINUX) openLibc();

/**
 * Name and `ignore` of a test that makes interfaces, in {@linkcode inNewNetwork} and with
 * {@linkcode ip} and other tools of the host; the name says why it is skipped.
 */
export function networkTest(
  name: string,
  ...tools: readonly HostTool[]
): { readonly name: string; readonly ignore: boolean } {
  return skippedFor(missingForNetwork(...tools), name);
}

/** Why {@linkcode inNewNetwork} with these tools and `ip` does not work here. */
export function missingForNetwork(...tools: readonly HostTool[]): string | undefined {
  return allOf(missingPermission(), missingTool("ip", ...tools));
}

function missingPermission(): string | undefined {
  if (NOT_LINUX) return "needs Linux and FFI";
  if (Deno.uid() !== 0) return "not root";
  return canOpen("/dev/net/tun") ? undefined : "no /dev/net/tun";
}

/** `clone(2)`: a new network namespace; <linux/sched.h>. */
const CLONE_NEWNET = 0x4000_0000;

/** Runs `body` in a new network namespace, which has a loopback interface that is down. */
export function inNewNetwork(body: () => void): void {
  const library = Deno.dlopen("libc.so.6", {
    unshare: { parameters: ["i32"], result: "i32" }, // unshare(2)
    setns: { parameters: ["i32", "i32"], result: "i32" }, // setns(2)
    open: { parameters: ["buffer", "i32"], result: "i32" }, // open(2)
    close: { parameters: ["i32"], result: "i32" }, // close(2)
  });
  const { symbols } = library;
  const home = symbols.open(cString("/proc/thread-self/ns/net"), 0);
  if (home < 0 || symbols.unshare(CLONE_NEWNET) !== 0) throw new Error("unshare(2) failed");
  try {
    body();
  } finally {
    // The next test cannot go on in a namespace that it does not expect.
    if (symbols.setns(home, CLONE_NEWNET) !== 0) Deno.exit(70);
    symbols.close(home);
    library.close();
  }
}

/** Runs `ip` with the words of `command`; throws what it says when it fails. */
export function ip(command: string): string {
  const args = command.split(" ");
  const { success, stdout, stderr } = new Deno.Command("ip", { args }).outputSync();
  if (!success) throw new Error(`ip ${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function canOpen(path: string): boolean {
  try {
    Deno.openSync(path, { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}
