/**
 * Waiting for IPv6 addresses: the kernel may check whether another host has them, RFC 4862 section
 * 5.4, and until then they are tentative.
 *
 * The tunnel's addresses are set in a way that avoids this (`network.ts`). Where it happens anyway
 * it takes a second for each query, of which there is one unless net.inet6.ip6.dad_count says
 * otherwise.
 *
 * @module
 */

import type { AwaitCommand } from "../command_output.ts";
import type { HostFinding, NetworkPlan } from "../platform.ts";
import { parseAddressStates } from "./ifconfig.ts";

/** Between two looks. */
const PAUSE_MS = 200;
/** Two seconds: twice as long as it takes. */
const MAX_LOOKS = 10;

/**
 * Waits until no address of `plan` is tentative, at most two seconds. Returns a finding for each
 * that cannot be used.
 *
 * @param pause for tests: waits between two looks
 */
export async function awaitAddresses(
  run: AwaitCommand,
  { interface: name, addresses }: NetworkPlan,
  pause: (ms: number) => Promise<void> = delay,
): Promise<HostFinding[]> {
  const own = addresses.filter(({ family }) => family === 6).map((address) =>
    `${address.toAddress()}`
  );
  for (let looks = 1; own.length > 0; looks++) {
    const states = parseAddressStates((await run(["ifconfig", name, "inet6"])).output);
    const isTentative = own.some((address) => states.get(address) === "tentative");
    if (!isTentative || looks === MAX_LOOKS) {
      return own.flatMap((address) => finding(name, address, states.get(address)));
    }
    await pause(PAUSE_MS);
  }
  return [];
}

function finding(name: string, address: string, state: string | undefined): HostFinding[] {
  if (state === "duplicated") {
    const message = `IPv6 address ${address} of ${name} is a duplicate: another host has it`;
    const hint = `Give each end an address of its own. "ifconfig ${name} inet6" shows the state.`;
    return [{ severity: "error", message, hint }];
  }
  if (state !== "tentative") return [];
  const message = `IPv6 address ${address} of ${name} is still tentative: IPv6 starts later`;
  const hint = `The kernel looks for duplicates. "ifconfig ${name} inet6" shows when it is done.`;
  return [{ severity: "warning", message, hint }];
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
