/** `aggvpn quota`: what links may carry in a month and have carried, and corrections of that. */

import { formatSize, SIZE_UNITS } from "../../config/units.ts";
import { dateWords } from "../../daemon/calendar.ts";
import type { QuotaStatus } from "../../daemon/quotas.ts";
import { EXIT, UsageError } from "../../errors.ts";
import { askTunnel, quantityOf, TUNNEL_FLAG } from "../change.ts";
import type { Command } from "../command.ts";

/** Shows and corrects quotas. */
export const quota: Command = {
  name: "quota",
  operands: "[LINK] [VERB] [SIZE]",
  summary: "Show what links have used of their quotas, or correct it",
  description:
    `Without operands, says of every link that has a quota how much of it is used in this month,
and when the next one begins. With LINK only that one is shown.

VERB "set" says what the link has carried in this month by the provider's meter, a number with its unit
such as 12.5GB, from which this end counts on; "reset" means that nothing was carried yet. The tunnel
acts on it at once, and it outlives a restart.`,
  flags: {
    ...TUNNEL_FLAG,
    json: { doc: "Print one JSON document, in which fields are only ever added" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const quotas = await askTunnel(flags, "quota", changeOf(operands)) as readonly QuotaStatus[];
    shell.stdout(
      flags.json === true
        ? JSON.stringify({ version: 1, quotas }, null, 2) + "\n"
        : quotas.map((quota) => `${quotaLine(quota)}\n`).join(""),
    );
    return EXIT.ok;
  },
};

/** What to ask of the tunnel. Throws UsageError. */
function changeOf(
  [name, verb, size]: readonly string[],
): { readonly name?: string; readonly usedBytes?: number } {
  if (name === undefined) return {};
  if (verb === undefined) return { name };
  const hint = "Run `aggvpn help quota`";
  if (verb === "reset") {
    if (size !== undefined) throw new UsageError(`Unexpected operand "${size}"`, { hint });
    return { name, usedBytes: 0 };
  }
  if (verb !== "set") throw new UsageError(`Expected set or reset, found "${verb}"`, { hint });
  if (size === undefined) throw new UsageError("Missing SIZE after set", { hint });
  return { name, usedBytes: size === "0" ? 0 : quantityOf(size, SIZE_UNITS, "12.5GB") };
}

function quotaLine({ link, usedBytes, quotaBytes, ends, whenUsedUp }: QuotaStatus): string {
  const share = Math.floor(100 * usedBytes / quotaBytes);
  const then = whenUsedUp === "off" ? "off" : "last of all";
  const now = usedBytes >= quotaBytes ? ` and so it is ${then}` : "";
  return `${link}: ${formatSize(usedBytes)} of ${formatSize(quotaBytes)} used, ${share} %${now}, ` +
    `until ${dateWords(ends)}`;
}
