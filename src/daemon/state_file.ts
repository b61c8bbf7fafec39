/**
 * A small file in which the program keeps something across restarts.
 *
 * It is replaced as a whole, so that a crash leaves the old or the new one, and trusted only when
 * this user owns it.
 *
 * @module
 */

import { reportIfRefused } from "../refusals.ts";

/** A file of more bytes is not ours. */
const LIMIT_BYTES = 64 * 1024;

/** The result of reading: a text, or nothing and (unless there is no file) why. */
export interface StateRead {
  readonly text?: string;
  readonly problem?: string;
}

/** Where a text is kept. */
export interface StateFile {
  readonly path: string;
  /** Never throws. */
  read(): StateRead;
  /** Replaces the text. Rejects when the place cannot be written. */
  write(text: string): Promise<void>;
}

/** The file at the absolute path `path`; its directory is created when missing. */
export function stateFile(path: string): StateFile {
  const write = async (text: string): Promise<void> => {
    try {
      await replace(path, text);
    } catch (error) {
      reportIfRefused(`a write of ${path}`, error);
      throw error;
    }
  };
  return { path, read: () => readOwn(path), write };
}

function readOwn(path: string): StateRead {
  try {
    const info = Deno.lstatSync(path);
    if (!info.isFile || info.size > LIMIT_BYTES) return { problem: "is not a file of aggvpn" };
    if (info.uid !== Deno.uid()) return { problem: "belongs to another user" };
    if (((info.mode ?? 0) & 0o022) !== 0) return { problem: "may be written by other users" };
    return { text: Deno.readTextFileSync(path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    return { problem: `cannot be read: ${(error as Error).message}` };
  }
}

/** Asynchronous throughout: a slow disk must not hold up the tunnel. */
async function replace(path: string, text: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  // A crash may have left it; any other problem shows below.
  await Deno.remove(fresh).catch((error) => reportIfRefused(`a removal of ${fresh}`, error));
  {
    using file = await Deno.open(fresh, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(fresh, path);
}
