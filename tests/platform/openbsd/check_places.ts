/**
 * Compares the table of numbers with the sources of OpenBSD 7.8: whether each place has the name,
 * with the number. It prints only differences.
 *
 *     deno run -A tests/platform/openbsd/check_places.ts /usr/src
 *
 * With `--anywhere` the line does not matter, which is for the sources of other releases.
 *
 * @module
 */

import { CONTROL_MACROS, ERRORS, PLACED_NUMBERS, PLACED_WORDS } from "./abi.ts";
import { FUNCTIONS } from "./abi_functions.ts";
import { PLACED_LIMITS } from "./abi_limits.ts";
import { DECLARATIONS } from "./abi_structures.ts";
import type { Declaration } from "./c_layout.ts";

/** Returns the lines of a file below the sources. */
export type ReadLines = (file: string) => readonly string[];

const STRUCTURES: Readonly<Record<string, Declaration>> = DECLARATIONS;
/** IOC_IN and IOC_OUT of sys/sys/ioccom.h. */
const DIRECTIONS: Readonly<Record<string, bigint>> = { W: 0x8000_0000n, R: 0x4000_0000n };

/** What the table says about one line. */
interface Claim {
  readonly name: string;
  readonly place: string;
  /** What `#define` gives the name; undefined for a member or structure. */
  readonly value?: number | bigint;
}

/** Returns what is not in the sources as the table says. */
export function findDifferences(read: ReadLines, anywhere = false): string[] {
  return claims().flatMap(({ name, place, value }) => {
    const [file = "", number] = place.split(":");
    const lines = read(file);
    const isThere = (line: string): boolean => new RegExp(`\\b${name}\\b`).test(line);
    if (!(anywhere ? lines.some(isThere) : isThere(lines[Number(number) - 1] ?? ""))) {
      return [`${place}: no ${name}`];
    }
    if (value === undefined) return [];
    const found = defined(lines, name);
    return found === BigInt(value) ? [] : [`${place}: ${name} is ${found}, not ${value}`];
  });
}

function claims(): Claim[] {
  return [
    ...Object.entries({ ...PLACED_NUMBERS, ...PLACED_WORDS })
      .map(([name, [value, place]]) => ({ name, place, value })),
    ...Object.entries(ERRORS).map(([name, [value, place]]) => ({ name, place, value })),
    ...Object.entries(STRUCTURES).flatMap(([name, { place, members }]) => [
      { name, place },
      ...members.map(([member, , , line]) => (
        { name: member, place: `${place.split(":")[0]}:${line}` }
      )),
    ]),
    ...Object.entries(CONTROL_MACROS).map(([name, { place }]) => ({ name, place })),
    ...Object.entries(PLACED_LIMITS).map(([name, [, place]]) => ({ name, place })),
    ...Object.entries(FUNCTIONS).map(([name, [, place]]) => ({ name, place })),
  ];
}

/** Returns the number that `#define` gives `name`; undefined for none that is understood. */
function defined(lines: readonly string[], name: string): bigint | undefined {
  const pattern = new RegExp(`^#\\s*define\\s+${name}\\s+(.*?)\\s*(?:/\\*.*)?$`);
  const text = lines.map((line) => pattern.exec(line)?.[1]).find((one) => one !== undefined);
  return text === undefined ? undefined : evaluate(lines, text);
}

function evaluate(lines: readonly string[], text: string): bigint | undefined {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text);
  const shift = /^\(1 << (\d+)\)$/.exec(text);
  if (shift) return 1n << BigInt(shift[1]!);
  const handler = /^\(void \(\*\)\(int\)\)(-?\d+)$/.exec(text);
  if (handler) return BigInt.asUintN(64, BigInt(handler[1]!));
  const request = /^_IO([RW])\('t', (\d+), struct (\w+)\)$/.exec(text);
  if (request) {
    const [, direction = "", number = "", structure = ""] = request;
    const size = STRUCTURES[structure]?.size ?? 0;
    return DIRECTIONS[direction]! | BigInt(size) << 16n | 0x7400n | BigInt(number);
  }
  return /^[A-Z]\w*$/.test(text) ? defined(lines, text) : undefined;
}

if (import.meta.main) {
  const root = Deno.args.find((arg) => !arg.startsWith("-")) ?? "/usr/src";
  const files = new Map<string, readonly string[]>();
  const read: ReadLines = (file) => {
    let lines = files.get(file);
    if (!lines) files.set(file, lines = Deno.readTextFileSync(`${root}/${file}`).split("\n"));
    return lines;
  };
  const differences = findDifferences(read, Deno.args.includes("--anywhere"));
  const text = differences.map((difference) => `${difference}\n`).join("");
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  Deno.exit(differences.length === 0 ? 0 : 1);
}
