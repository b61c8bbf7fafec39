/**
 * Writes files with secrets: for their owner only, whole or not at all.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";

/** What a file that was replaced is kept as. */
export const OLD_SUFFIX = ".old";

/** Tells whether there is something at a path, even a link to nowhere. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw cannot("look at", path, error);
  }
}

/** Throws AggvpnError when nothing can be written where a file, or its directory, is to be. */
export function tryDirectory(path: string): void {
  let directory = directoryOf(path);
  while (directory !== "/" && directory !== "." && !isThere(directory)) {
    directory = directoryOf(directory);
  }
  try {
    Deno.removeSync(Deno.makeTempFileSync({ dir: directory, prefix: ".aggvpn-" }));
  } catch (error) {
    throw cannot("write", path, error);
  }
}

/**
 * Writes a file that is not there yet, with its directory. What is there is kept beside it under
 * another name if it may be replaced. Throws AggvpnError.
 */
export function writeSecretFile(path: string, text: string, mayReplace = false): void {
  try {
    Deno.mkdirSync(directoryOf(path), { recursive: true, mode: 0o700 });
    if (mayReplace && isThere(path)) Deno.renameSync(path, path + OLD_SUFFIX);
    Deno.writeTextFileSync(path, text, { createNew: true, mode: 0o600 });
  } catch (error) {
    throw cannot("write", path, error);
  }
}

/**
 * Replaces the text of a file at once, and keeps its owner and mode. Throws AggvpnError, also when
 * the file no longer says `before`.
 */
export function replaceText(path: string, before: string, text: string): void {
  let fresh: string | undefined;
  try {
    const real = Deno.realPathSync(path);
    const { mode, uid, gid } = Deno.statSync(real);
    fresh = Deno.makeTempFileSync({ dir: directoryOf(real) });
    Deno.writeTextFileSync(fresh, text);
    Deno.chmodSync(fresh, (mode ?? 0o600) & 0o7777);
    Deno.chownSync(fresh, uid, gid);
    using file = Deno.openSync(fresh);
    file.syncSync();
    if (Deno.readTextFileSync(real) !== before) throw new Error("somebody else has changed it");
    Deno.renameSync(fresh, real);
    fresh = undefined;
  } catch (error) {
    throw cannot("write", path, error);
  } finally {
    if (fresh !== undefined) Deno.removeSync(fresh);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || (path.startsWith("/") ? "/" : ".");
}

function cannot(verb: string, path: string, error: unknown): AggvpnError {
  const reason = error instanceof Deno.errors.PermissionDenied
    ? "Permission denied"
    : error instanceof Deno.errors.AlreadyExists
    ? "it exists already"
    : error instanceof Error
    ? error.message.replace(/ \(os error.*/s, "")
    : String(error);
  const hint = error instanceof Deno.errors.PermissionDenied ? { hint: "Run as root" } : {};
  return new AggvpnError(`Cannot ${verb} ${path}: ${reason}`, hint);
}
