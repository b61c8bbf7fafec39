/**
 * What a sandbox refuses although the program needs it. It is said once for each operation, so
 * that whoever runs the program can report it.
 *
 * A sandbox that was made a little too tight has operations fail with ENOSYS, which has no other
 * cause while a tunnel runs: pledge(2) does so with the promise "error". What happens then depends
 * on the operation, and is often no more than something that is not kept or answered.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";

const log = getLogger(["aggvpn", "sandbox"]);

/** What Deno says of ENOSYS, for which it has neither a class nor a code. */
const NOT_IMPLEMENTED = /Function not implemented \(os error \d+\)/;

let sandbox: string | undefined;
const told = new Set<string>();

/** From here on ENOSYS is the work of `name`, such as `pledge(2)`; before, nothing is said. */
export function watchRefusals(name: string): void {
  sandbox = name;
  told.clear();
}

/**
 * Says, the first time, that the sandbox refused an operation of Deno's, such as `a write of /x`,
 * if that is why it failed with `error`. Returns whether it is.
 */
export function reportIfRefused(operation: string, error: unknown): boolean {
  if (sandbox === undefined || !NOT_IMPLEMENTED.test(String(error))) return false;
  if (!told.has(operation)) logRefusal(sandbox, operation);
  told.add(operation);
  return true;
}

/** Says that `sandbox` refused an operation. */
export function logRefusal(sandbox: string, operation: string): void {
  log.error("{sandbox} refused {operation}: report this, please", { sandbox, operation });
}
