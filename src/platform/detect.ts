/**
 * The only place that asks which operating system this is.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { LINUX } from "./linux/platform.ts";
import { OPENBSD } from "./openbsd/platform.ts";
import type { Platform } from "./platform.ts";

/**
 * Returns the platform of this host. Throws AggvpnError when it is not supported.
 *
 * @param os a string, since Deno's own type does not know every system it runs on
 */
export function detectPlatform(os: string = Deno.build.os): Platform {
  if (os === "linux") return LINUX;
  if (os === "openbsd") return OPENBSD;
  throw new AggvpnError(`aggvpn does not run on ${os}`, {
    hint: "Use a host with Linux or OpenBSD.",
  });
}
