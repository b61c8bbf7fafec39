/**
 * Packs a program and the Deno runtime into one executable file: a shell script,
 * the program as it is, and the runtime compressed.
 *
 * The script (selfextract.sh) unpacks both once into a private cache directory and replaces itself
 * with the runtime, so that a later start costs two stat calls. Both parts are named by their
 * SHA-256: a new program does not unpack the runtime again. gzip, because every host has it; the
 * runtime is packed once per version of it.
 *
 * @module
 */

import { render } from "./template.ts";

/** What goes into the file. */
export interface SelfExtracting {
  /** Name of the program: of the process, its cache directory and its variable. */
  readonly name: string;
  readonly version: string;
  /** JavaScript of the program: one module without imports. */
  readonly program: Uint8Array;
  /** The executable that runs it, as `runtime run FLAGS program.js ARGUMENTS`. */
  readonly runtime: Uint8Array;
  /** The same, compressed by {@linkcode gzip}. */
  readonly packedRuntime: Uint8Array;
  readonly flags: readonly string[];
}

/** Digits of a hash that name a directory of the cache. */
const ID_DIGITS = 16;
const TEMPLATE = new URL("./selfextract.sh", import.meta.url);

/** The bytes of the executable; equal input gives equal bytes. */
export async function packSelfExtracting(parts: SelfExtracting): Promise<Uint8Array<ArrayBuffer>> {
  const template = await Deno.readTextFile(TEMPLATE);
  const programHash = await sha256(parts.program);
  const runtimeHash = await sha256(parts.runtime);
  const values: Record<string, string> = {
    NAME: parts.name,
    ENV: parts.name.toUpperCase().replaceAll("-", "_"),
    VERSION: parts.version,
    FLAGS: parts.flags.join(" "),
    PROGRAM_SHA256: programHash,
    PROGRAM_ID: programHash.slice(0, ID_DIGITS),
    PROGRAM_SIZE: String(parts.program.length),
    RUNTIME_SHA256: runtimeHash,
    RUNTIME_ID: runtimeHash.slice(0, ID_DIGITS),
  };
  const head = renderHead(template, values, parts.program.length);
  const out = new Uint8Array(head.length + parts.program.length + parts.packedRuntime.length);
  out.set(head, 0);
  out.set(parts.program, head.length);
  out.set(parts.packedRuntime, head.length + parts.program.length);
  return out;
}

/** The script with the places of what follows it, which depend on its own length. */
function renderHead(
  template: string,
  values: Readonly<Record<string, string>>,
  programSize: number,
): Uint8Array {
  let size = 0;
  while (true) {
    // `tail -c +N` counts from 1.
    const places = { PROGRAM_AT: String(size + 1), RUNTIME_AT: String(size + programSize + 1) };
    const head = new TextEncoder().encode(render(template, { ...values, ...places }));
    if (head.length === size) return head;
    size = head.length;
  }
}

/** Hexadecimal SHA-256. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return new Uint8Array(digest).toHex();
}

/** Compresses; equal input gives equal bytes. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
