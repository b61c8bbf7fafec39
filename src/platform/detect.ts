/**
 * The only place that asks which operating system this is.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { LINUX } from "./linux/platform.ts";
import type { Platform } from "./platform.ts";

/** Returns the platform of this host. Throws AggvpnError when it is not supported. */
export function detectPlatform(os: string = Deno.build.os): Platform {
  if (os === "linux") return LINUX;
  throw new AggvpnError(`aggvpn does not run on ${os} yet`, {
    hint: "Use a Linux host; OpenBSD is being worked on.",
  });
}
