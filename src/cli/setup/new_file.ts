/**
 * What commands have in common that write a configuration: which file, whether it may be replaced,
 * and what comes after.
 *
 * @module
 */

import type { Config } from "../../config/config.ts";
import { AggvpnError } from "../../errors.ts";
import type { Arguments, Shell } from "../command.ts";
import type { Dialog } from "./dialog.ts";
import { isThere, OLD_SUFFIX, tryDirectory } from "./secret_file.ts";

/** Flags of such commands. */
export const NEW_FILE_FLAGS = {
  force: { doc: `Replace the file if there is one, which is kept as FILE${OLD_SUFFIX}` },
  yes: { doc: "Ask nothing: what flags do not say is the default", short: "y" },
} as const;

/** Returns the absolute path of the file to write. */
export function newFile({ flags }: Arguments, fallback: string): string {
  const { file } = flags;
  if (typeof file !== "string") return fallback;
  return file.startsWith("/") ? file : `${Deno.cwd()}/${file}`;
}

/**
 * Tells whether a file may be replaced; throws AggvpnError if it is there and may not, or cannot be
 * written anyway, before anything else is asked.
 */
export function mayWrite(file: string, { flags }: Arguments, dialog: Dialog): boolean {
  tryDirectory(file);
  if (!isThere(file)) return false;
  if (flags.force === true) return true;
  if (
    dialog.confirm(
      `${file} is there already. Replace it (it is kept as ${file}${OLD_SUFFIX})?`,
      false,
    )
  ) {
    return true;
  }
  throw new AggvpnError(`${file} is there already: nothing was changed`, {
    hint: "--force replaces it, --file=FILE writes another one",
  });
}

/** A configuration that was written, and whether its tunnel was started. */
export interface NewFile {
  readonly config: Config;
  readonly isStarted: boolean;
}

/** Checks the new file and offers to start its tunnel. Throws AggvpnError. */
export async function finish(
  file: string,
  os: string,
  args: Arguments,
  dialog: Dialog,
  shell: Shell,
): Promise<NewFile> {
  const { reportOn } = await import("../setup/host_report.ts");
  const { offerService } = await import("../setup/service.ts");
  const config = await reportOn(file, shell);
  const tunnel = { os, file, nat: config.tunnel.nat };
  return { config, isStarted: offerService(tunnel, args, dialog, shell) };
}
