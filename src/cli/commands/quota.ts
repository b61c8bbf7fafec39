/** `aggvpn quota`: corrects what a link has carried of its quota. */

import { SIZE_UNITS } from "../../config/units.ts";
import { UsageError } from "../../errors.ts";
import { change, quantityOf, TUNNEL_FLAG } from "../change.ts";
import type { Command } from "../command.ts";

/** Corrects the count of a link. */
export const quota: Command = {
  name: "quota",
  operands: "LINK set|reset [SIZE]",
  summary: "Correct how much of a link's quota is used up",
  description: `Says what a link of the running client has carried in this month, where the provider
counts otherwise:

aggvpn quota LINK set SIZE

aggvpn quota LINK reset

A SIZE is a number with its unit, such as 3.2GB. "reset" means that nothing was carried yet. What is
carried from now on is added. The count is kept over restarts.`,
  flags: TUNNEL_FLAG,

  run(shell, args): Promise<number> {
    const [name, what, size] = args.operands;
    return change(shell, args, "quota", { name, usedBytes: usedOf(what!, size) });
  },
};

function usedOf(what: string, size: string | undefined): number {
  const hint = "Run `aggvpn help quota`";
  if (what === "reset") {
    if (size !== undefined) throw new UsageError(`Unexpected operand "${size}"`, { hint });
    return 0;
  }
  if (what !== "set") throw new UsageError(`Expected set or reset, found "${what}"`, { hint });
  if (size === undefined) throw new UsageError("Missing SIZE after set", { hint });
  return quantityOf(size, SIZE_UNITS, "3.2GB");
}
