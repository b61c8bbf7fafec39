/**
 * Where the members of a C structure are, computed from its declaration by the rules of the
 * System V ABI for amd64 (section 3.1.2) and of AAPCS64 (section 5): each member is aligned to its
 * own size, a structure to its largest member, and its size is a multiple of that.
 *
 * @module
 */

/** The two machines OpenBSD's Deno runs on. */
export type Machine = "amd64" | "arm64";
export const MACHINES: readonly Machine[] = ["amd64", "arm64"];

type Scalar = "char" | "short" | "int" | "long" | "long long" | "pointer";

/** Sizes in bytes, which are alignments too: LP64 on both. */
const SIZES: Readonly<Record<Machine, Readonly<Record<Scalar, number>>>> = {
  amd64: { char: 1, short: 2, int: 4, long: 8, "long long": 8, pointer: 8 },
  arm64: { char: 1, short: 2, int: 4, long: 8, "long long": 8, pointer: 8 },
};

/**
 * A member: a scalar, an array of scalars, or another structure; the offset that it has to be
 * found at, and its line in the header.
 */
export type Member = readonly [
  name: string,
  type: Scalar | Declaration,
  offset: number,
  line: number,
  count?: number,
];

/** A structure as its header declares it. */
export interface Declaration {
  /** `file:line` where it begins. */
  readonly place: string;
  /** The bytes that it has to have. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** Offsets of the members and the size of the whole, in bytes. */
export interface Layout {
  readonly size: number;
  readonly alignment: number;
  readonly offsets: Readonly<Record<string, number>>;
}

/** Lays out a structure. */
export function layOut({ members }: Declaration, machine: Machine): Layout {
  const offsets: Record<string, number> = {};
  let at = 0;
  let alignment = 1;
  for (const [name, type, , , count = 1] of members) {
    const { size, alignment: own } = measure(type, machine);
    at = roundUp(at, own);
    offsets[name] = at;
    at += size * count;
    alignment = Math.max(alignment, own);
  }
  return { size: roundUp(at, alignment), alignment, offsets };
}

function measure(
  type: Scalar | Declaration,
  machine: Machine,
): { size: number; alignment: number } {
  if (typeof type !== "string") return layOut(type, machine);
  const size = SIZES[machine][type];
  return { size, alignment: size };
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
