/**
 * Opens a C library one of two ways: with the stubs that Deno generates for its functions, or
 * without any.
 *
 * Deno makes a piece of machine code, a stub, for each function; optimized JavaScript jumps to it.
 * The stubs do not begin with the landing instruction (`endbr64`, `bti`) of CPUs that check where
 * an indirect jump lands, so a system that enforces it ends the process there. Deno makes no
 * stub for a function that takes a structure by value. So every function is given one extra
 * parameter, a structure of one byte: by the calling conventions of amd64 and arm64 it travels
 * where the function does not look, in the next register or on the stack after the last argument.
 * Such calls go through libffi, which the C compiler built.
 *
 * A call by a stub costs about 5 ns, one through libffi 50 ns and 12 ns for each argument.
 *
 * @module
 */

/** How Deno calls the functions of a library. */
export type CallWay = "stubs" | "libffi";

type Functions = Readonly<Record<string, Deno.ForeignFunction>>;
type Call = (...args: unknown[]) => unknown;

/** What is passed as the structure. An ArrayBuffer is what Deno takes fastest. */
const STRUCTURE = new ArrayBuffer(8);
const STRUCTURE_TYPE: Deno.NativeStructType = { struct: ["u8"] };

/** Opens `name` and binds `functions`. Throws when the library or one of them is missing. */
export function openLibrary<S extends Functions>(
  name: string,
  functions: S,
  way: CallWay,
): Deno.StaticForeignLibraryInterface<S> {
  if (way === "stubs") return Deno.dlopen(name, functions).symbols;
  const { symbols } = Deno.dlopen(name, withStructure(functions));
  const bound = Object.entries(functions).map(([key, { parameters, nonblocking }]) => {
    const call = symbols[key] as Call | null;
    // A call on another thread has no stub, and an optional function may be missing.
    return [key, call === null || nonblocking ? call : passStructure(call, parameters.length)];
  });
  return Object.fromEntries(bound);
}

function withStructure(functions: Functions): Record<string, Deno.ForeignFunction> {
  const extended = Object.entries(functions).map(([key, definition]) => [
    key,
    definition.nonblocking
      ? definition
      : { ...definition, parameters: [...definition.parameters, STRUCTURE_TYPE] },
  ]);
  return Object.fromEntries(extended);
}

/** Returns `call` with the structure after `count` arguments; a rest parameter would allocate. */
function passStructure(call: Call, count: number): Call {
  const s = STRUCTURE;
  switch (count) {
    case 0:
      return () => call(s);
    case 1:
      return (a) => call(a, s);
    case 2:
      return (a, b) => call(a, b, s);
    case 3:
      return (a, b, c) => call(a, b, c, s);
    case 4:
      return (a, b, c, d) => call(a, b, c, d, s);
    case 5:
      return (a, b, c, d, e) => call(a, b, c, d, e, s);
    case 6:
      return (a, b, c, d, e, f) => call(a, b, c, d, e, f, s);
    case 7:
      return (a, b, c, d, e, f, g) => call(a, b, c, d, e, f, g, s);
    case 10:
      return (a, b, c, d, e, f, g, h, i, j) => call(a, b, c, d, e, f, g, h, i, j, s);
    default:
      throw new Error(`Cannot call a function of ${count} parameters through libffi`);
  }
}
