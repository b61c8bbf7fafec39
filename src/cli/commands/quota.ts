/** `aggvpn quota`: what links may carry in a month and have carried, and corrections of that. */

import { formatSize, parseQuantity, SIZE_UNITS, suggestQuantity } from "../../config/units.ts";
import { ask } from "../../control/client.ts";
import { EXIT, UsageError } from "../../errors.ts";
import { dateWords } from "../../daemon/calendar.ts";
import type { QuotaStatus } from "../../daemon/quotas.ts";
import type { Command } from "../command.ts";
import { findControl } from "../find_control.ts";

/** Shows and corrects quotas. */
export const quota: Command = {
  name: "quota",
  operands: "[LINK] [VERB] [SIZE]",
  summary: "Show what links have used of their quotas, or correct it",
  description:
    `Without operands, says of every link that has a quota how much of it is used in this month,
and when the next one begins. With LINK only that one is shown.

The VERB "set" says what the link has carried in this month by the provider's meter, such as "12.5 GB", from
which this end counts on; "reset" is the same as "set 0". The tunnel acts on it at once, and it
outlives a restart.`,
  flags: {
    tunnel: { doc: "Which tunnel, where several run", value: "FILE|NAME" },
    json: { doc: "Print one JSON document, in which fields are only ever added" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const change = changeOf(operands);
    const path = await findControl(flags.tunnel === true ? undefined : flags.tunnel);
    const quotas = await ask(path, "quota", change) as readonly QuotaStatus[];
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
  [link, verb, size]: readonly string[],
): { readonly link?: string; readonly usedBytes?: number } {
  if (link === undefined) return {};
  if (verb === undefined) return { link };
  if (verb === "reset" && size === undefined) return { link, usedBytes: 0 };
  if (verb !== "set" || size === undefined) {
    throw new UsageError(`Cannot understand "${[verb, size].filter(Boolean).join(" ")}"`, {
      hint: `Write \`aggvpn quota ${link} set SIZE\` or \`aggvpn quota ${link} reset\``,
    });
  }
  const usedBytes = size === "0" ? 0 : parseQuantity(size, SIZE_UNITS);
  if (usedBytes !== undefined) return { link, usedBytes };
  throw new UsageError(`"${size}" is no size`, {
    hint: `Write for example "${suggestQuantity(size, SIZE_UNITS) ?? "12.5 GB"}"`,
  });
}

function quotaLine({ link, usedBytes, quotaBytes, ends, whenUsedUp }: QuotaStatus): string {
  const share = Math.floor(100 * usedBytes / quotaBytes);
  const then = whenUsedUp === "off" ? "off" : "last of all";
  const now = usedBytes >= quotaBytes ? ` and so it is ${then}` : "";
  return `${link}: ${formatSize(usedBytes)} of ${formatSize(quotaBytes)} used, ${share} %${now}, ` +
    `until ${dateWords(ends)}`;
}
