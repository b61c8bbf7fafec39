/**
 * /etc/resolv.conf where no other program keeps it: it is replaced while a tunnel runs, and put back
 * from a copy beside it. Both ways are single commands, for the journal that undoes what a crash
 * leaves; the copy is on disk, so that also a loss of power can be undone.
 *
 * Only the contents are replaced, never the file: in a container or a namespace it may be mounted
 * there.
 *
 * @module
 */

import type { Address } from "../address.ts";
import type { SystemChange } from "./platform.ts";

/** Where resolvers look: resolv.conf(5). */
export const RESOLV_CONF = "/etc/resolv.conf";

/** What is there before a tunnel starts. */
export interface ResolvConf {
  /** Absent when there is no file. */
  readonly text?: string;
  /** Where the file really is, when its name is a symbolic link: another program keeps it. */
  readonly target?: string;
  /** Whether there is a copy that a tunnel with this interface has left. */
  readonly hasCopy: boolean;
}

/** Looks at the file at `path`, and at the copy for the interface `device`. */
export function readResolvConf(device: string, path: string = RESOLV_CONF): ResolvConf {
  const hasCopy = kindOf(copyOf(device, path))?.isFile ?? false;
  const kind = kindOf(path);
  if (kind?.isSymlink) return { target: Deno.readLinkSync(path), hasCopy };
  return kind === undefined ? { hasCopy } : { text: Deno.readTextFileSync(path), hasCopy };
}

/** Returns the changes that have `dns` asked instead of what the file says. */
export function resolvConfChanges(
  device: string,
  dns: readonly Address[],
  before: ResolvConf,
  path: string = RESOLV_CONF,
): SystemChange[] {
  const header = headerOf(device);
  const copy = copyOf(device, path);
  // What others write there counts as the host's, and comes back at the end.
  const look = { run: ["cat", path], shows: new RegExp(`^${RegExp.escape(header)}$`, "m") };
  const write = {
    run: ["tee", path],
    input: [header, ...dns.map((one) => `nameserver ${one}`), ...kept(before.text)]
      .map((line) => `${line}\n`).join(""),
    look,
  };
  if (before.text === undefined) return [{ ...write, undo: ["rm", "-f", path] }];
  const restore = ["cp", "-p", copy, path];
  const isLeft = before.hasCopy && look.shows.test(before.text);
  return [
    ...isLeft ? [{ run: restore }] : [],
    { run: ["cp", "-p", path, copy], undo: ["rm", "-f", copy], look },
    { ...write, undo: restore },
  ];
}

function headerOf(device: string): string {
  return `# Written by aggvpn for ${device}, until that ends.`;
}

function copyOf(device: string, path: string): string {
  return `${path}.before-${device}`;
}

/** Domains to search and options are not about name servers. */
function kept(text = ""): string[] {
  return text.split("\n").filter((line) => /^(search|domain|options|lookup|family)\s/.test(line));
}

function kindOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}
