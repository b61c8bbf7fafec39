/**
 * A CPU that enforces landing instructions, for any Linux: run before a program (`--preload`), it
 * turns the first bytes of every stub that Deno generates for a C function into an invalid
 * instruction. A process that jumps to one dies of SIGILL, as with IBT or BTI.
 *
 * Stubs are recognized by being new: executable memory without a file that did not exist before
 * Deno.dlopen(), each in pages of its own.
 *
 * @module
 */

const PAGE_BYTES = 4096;
/** ud2; udf #0. */
const UNDEFINED = Deno.build.arch === "x86_64" ? Uint8Array.of(0x0f, 0x0b) : new Uint8Array(4);
/** What a stub begins with: push %rbp; mov %rsp,%rbp; or stp x29, x30, [sp, #-16]!. */
const BEGINNING = Deno.build.arch === "x86_64"
  ? Uint8Array.of(0x55, 0x48, 0x89, 0xe5)
  : Uint8Array.of(0xfd, 0x7b, 0xbf, 0xa9);

/** Addresses of pages that are executable, private and of no file: proc_pid_maps(5). */
function executablePages(): Set<number> {
  const pages = new Set<number>();
  const maps = Deno.readTextFileSync("/proc/self/maps");
  for (const [, from, to] of maps.matchAll(/^(\w+)-(\w+) r-xp 0+ 00:00 0\s*$/gm)) {
    for (let at = parseInt(from!, 16); at < parseInt(to!, 16); at += PAGE_BYTES) pages.add(at);
  }
  return pages;
}

function trap(pages: Iterable<number>): void {
  using memory = Deno.openSync("/proc/self/mem", { read: true, write: true });
  const beginning = new Uint8Array(BEGINNING.length);
  for (const page of pages) {
    memory.seekSync(page, Deno.SeekMode.Start);
    memory.readSync(beginning);
    if (!beginning.every((byte, i) => byte === BEGINNING[i])) continue;
    memory.seekSync(page, Deno.SeekMode.Start);
    memory.writeSync(UNDEFINED);
  }
}

const dlopen = Deno.dlopen;
Deno.dlopen = (path, functions) => {
  const before = executablePages();
  const library = dlopen(path, functions);
  trap(executablePages().difference(before));
  return library;
};

// A program that starts itself again starts the trap again.
const wrapper = Deno.env.get("TRAPPED_DENO");
if (wrapper !== undefined) Deno.execPath = (): string => wrapper;
