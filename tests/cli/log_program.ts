/** Logs a few records in the format that is its argument: for `log_test.ts`. */

import { getLogger } from "@logtape/logtape";
import { startLog } from "../../src/cli/log.ts";
import type { LogFormat } from "../../src/config/config.ts";
import { detectPlatform } from "../../src/platform/detect.ts";

const { stream } = startLog({ level: "info", format: Deno.args[0] as LogFormat }, detectPlatform());
const log = getLogger(["aggvpn", "tunnel"]);
log.info("Link {link} is up", { link: "dsl" });
log.debug("Not logged");
log.warning("Link {link} is down: {reason}", { link: "dsl", reason: "a\nb" });
await stream.flush(1000);
