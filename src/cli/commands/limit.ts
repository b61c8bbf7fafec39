/** `aggvpn limit`: bounds what a link of a running client carries. */

import { RATE_UNITS } from "../../config/units.ts";
import type { Parameters } from "../../control/protocol.ts";
import { UsageError } from "../../errors.ts";
import { change, LASTS, quantityOf, TUNNEL_FLAG } from "../change.ts";
import type { Command } from "../command.ts";

const FIELDS: Readonly<Record<string, string>> = { up: "uploadBps", down: "downloadBps" };

/** Limits a link. */
export const limit: Command = {
  name: "limit",
  operands: "LINK LIMIT [MORE...]",
  completes: { LIMIT: ["up", "down", "off"], MORE: ["up", "down"] },
  summary: "Limit what a link of a running tunnel carries",
  description: `Sets what a link of the running client may send or receive, as bandwidth_upload and
bandwidth_download of its file would:

aggvpn limit LINK up RATE [down RATE]

aggvpn limit LINK down RATE

aggvpn limit LINK off

A RATE is a number with its unit, such as 5Mbit/s. "off" restores what the file says.

${LASTS}`,
  flags: TUNNEL_FLAG,

  run(shell, args): Promise<number> {
    const [name, ...words] = args.operands;
    return change(shell, args, "limit", { name, ...limitsOf(words) });
  },
};

function limitsOf(words: readonly string[]): Parameters {
  if (words[0] === "off" && words.length === 1) return {};
  const limits: Record<string, number> = {};
  for (let i = 0; i < words.length; i += 2) {
    const [direction = "", rate] = words.slice(i, i + 2);
    const field = FIELDS[direction];
    if (field === undefined) {
      throw new UsageError(`Expected up or down, found "${direction}"`, {
        hint: "Write it as in `aggvpn limit lte up 5Mbit/s down 20Mbit/s`",
      });
    }
    if (rate === undefined) {
      throw new UsageError(`Missing RATE after ${direction}`, { hint: "Run `aggvpn help limit`" });
    }
    limits[field] = quantityOf(rate, RATE_UNITS, "5Mbit/s");
  }
  return limits;
}
