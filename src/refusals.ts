/**
 * What a sandbox refuses although the program needs it. It is logged once for each operation, so
 * that the user can report it.
 *
 * A sandbox that is a little too tight makes operations fail with ENOSYS, which has no other cause
 * while a tunnel runs: pledge(2) does so with the promise "error". What happens then depends on the
 * operation; often something is merely not kept or not answered.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";

const log = getLogger(["aggvpn", "sandbox"]);

/** Deno's message for ENOSYS, for which it has neither a class nor a code. */
const NOT_IMPLEMENTED = /Function not implemented \(os error \d+\)/;

let sandbox: string | undefined;
const told = new Set<string>();

/** From now on ENOSYS is due to `name`, such as `pledge(2)`; before, nothing is logged. */
export function watchRefusals(name: string): void {
  sandbox = name;
  told.clear();
}

/**
 * Logs, the first time, that the sandbox refused an operation of Deno's, such as `a write of /x`,
 * if that is why it failed with `error`. Returns whether it is.
 */
export function reportIfRefused(operation: string, error: unknown): boolean {
  if (sandbox === undefined || !NOT_IMPLEMENTED.test(String(error))) return false;
  if (!told.has(operation)) logRefusal(sandbox, operation);
  told.add(operation);
  return true;
}

/** Logs that `sandbox` refused an operation. */
export function logRefusal(sandbox: string, operation: string): void {
  log.error("{sandbox} refused {operation}: please report this", { sandbox, operation });
}
