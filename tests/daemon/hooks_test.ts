/** Needs permission to run /bin/sh and to write temporary files. */

import { assertEquals, assertRejects } from "@std/assert";
import { hookEnvironment, runShellHook } from "../../src/daemon/hooks.ts";
import { AggvpnError } from "../../src/errors.ts";
import { address, prefix } from "../addresses.ts";
import { HOST, withScript } from "./scripts.ts";

const TUNNEL = {
  address: prefix("10.44.43.1/30"),
  gateway: address("10.44.43.2"),
  routes: ["198.51.100.0/24", "2001:db8::/32", "192.0.2.0/24"].map(prefix),
  dns: [],
  leakGuard: false,
  nat: false,
  mssClamp: true,
  offload: true,
  schedule: "fast",
  duplicate: "off",
} as const;
const ENV = hookEnvironment(TUNNEL, "agg0", 1434);

Deno.test("hookEnvironment() has every variable of mlvpn, empty when there is no value", () => {
  assertEquals(ENV, {
    DEVICE: "agg0",
    MTU: "1434",
    IP4: "10.44.43.1/30",
    IP6: "",
    IP4_GATEWAY: "10.44.43.2",
    IP6_GATEWAY: "",
    IP4_ROUTES: "198.51.100.0/24 192.0.2.0/24",
    IP6_ROUTES: "2001:db8::/32",
  });
});

Deno.test("runShellHook() runs a line of the shell and throws when it fails", async () => {
  const log = await withScript('echo "$1 $DEVICE"', async (path) => {
    await runShellHook("up", `${path} one && ${path} two`, ENV, HOST);
    await assertRejects(() => runShellHook("up", "exit 7", ENV, HOST), AggvpnError, "status 7");
  });
  assertEquals(log, "one agg0\ntwo agg0\n");
});

Deno.test("runShellHook() does not wait for a command that hangs once the end is wanted", async () => {
  const ending = AbortSignal.timeout(100);
  const hanging = (): Promise<void> => runShellHook("up", "sleep 1000; :", ENV, HOST, ending);
  await assertRejects(
    hanging,
    AggvpnError,
    "was still running when the tunnel ended and was killed",
  );
});
