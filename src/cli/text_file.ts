/**
 * Reads the user's small text files, or says in plain words why it cannot.
 *
 * @module
 */

/** A file that was read. */
export interface ReadFile {
  readonly text: string;
  /** Whether users besides its owner may read it; false where there are no modes. */
  readonly othersMayRead: boolean;
  readonly othersMayWrite: boolean;
  /** In octal, such as `0644`. */
  readonly mode: string;
}

/** Why a file was not read. */
export interface ReadFailure {
  readonly message: string;
  readonly hint?: string;
}

/** Tells whether it is a failure. */
export function isFailure(result: ReadFile | ReadFailure): result is ReadFailure {
  return "message" in result;
}

/**
 * Reads a UTF-8 text of at most `limitBytes`. Never throws.
 *
 * @param otherwise how to read what is no UTF-8; without it that is a failure
 */
export function readTextFile(
  path: string,
  limitBytes: number,
  otherwise?: "latin1",
): ReadFile | ReadFailure {
  try {
    using file = Deno.openSync(path);
    const info = file.statSync();
    if (info.isDirectory) return { message: "expected a file, found a directory" };
    const bytes = info.isFile && info.size > limitBytes ? undefined : readAll(file, limitBytes);
    if (!bytes) return tooLarge(info.isFile ? info.size : undefined, limitBytes);
    const mode = info.isFile ? info.mode ?? 0 : 0;
    const text = decode(bytes, "utf-8") ?? decode(bytes, otherwise);
    return text === undefined ? NOT_UTF8 : readFile(text, mode);
  } catch (error) {
    return explain(error);
  }
}

/** Returns undefined when there is more than `limit`. */
function readAll(file: Deno.FsFile, limit: number): Uint8Array | undefined {
  const bytes = new Uint8Array(limit + 1);
  let length = 0;
  while (length < bytes.length) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
  }
  return undefined;
}

const NOT_UTF8: ReadFailure = { message: "expected text in UTF-8, found other bytes" };

function decode(bytes: Uint8Array, encoding: "utf-8" | "latin1" | undefined): string | undefined {
  try {
    return encoding && new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function readFile(text: string, mode: number): ReadFile {
  return {
    text,
    othersMayRead: (mode & 0o044) !== 0,
    othersMayWrite: (mode & 0o022) !== 0,
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
  };
}

function tooLarge(size: number | undefined, limit: number): ReadFailure {
  const found = size === undefined ? "more" : `${Math.ceil(size / 1024)} KiB`;
  return {
    message: `expected at most ${Math.floor(limit / 1024)} KiB, found ${found}`,
    hint: "is this the right file?",
  };
}

function explain(error: unknown): ReadFailure {
  if (error instanceof Deno.errors.NotFound) return { message: "no such file" };
  if (error instanceof Deno.errors.IsADirectory) {
    return { message: "expected a file, found a directory" };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return { message: "cannot be read: permission denied", hint: "run as root, or as its owner" };
  }
  return { message: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
}
