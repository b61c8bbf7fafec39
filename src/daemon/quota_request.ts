/**
 * The request `quota`: what is used of which quota, and corrections of that.
 *
 * @module
 */

import type { Parameters } from "../control/protocol.ts";
import { AggvpnError } from "../errors.ts";
import type { Quotas, QuotaStatus } from "./quotas.ts";

/**
 * Answers a request with the `name` of a link (absent: every link), and with `usedBytes` where that is to be
 * corrected. Throws AggvpnError.
 */
export async function answerQuota(
  quotas: Quotas | undefined,
  { name, usedBytes }: Parameters,
): Promise<readonly QuotaStatus[]> {
  if (!quotas) {
    throw new AggvpnError("No link of this tunnel has a quota", {
      hint: 'Write quota = "50 GB" in the table of a link at the client',
    });
  }
  if (name === undefined) return quotas.list();
  if (typeof name !== "string") throw new AggvpnError("name: expected that of a link");
  if (usedBytes === undefined) return [quotas.find(name)];
  if (!Number.isSafeInteger(usedBytes) || usedBytes as number < 0) {
    throw new AggvpnError("usedBytes: expected a whole number of bytes");
  }
  return [await quotas.set(name, usedBytes as number)];
}
