/**
 * What can be typed next on a command line, found in the tables of commands.
 *
 * Scripts of the shells ask for this with `aggvpn __complete WORDS`, of which the last one is being
 * typed; so they stay the same, whatever commands there are.
 *
 * @module
 */

import type { Command, Completes, Flag, Named } from "../command.ts";
import { GLOBAL_FLAGS, TOP_FLAGS } from "../help.ts";

/** Something that can be typed, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly doc: string;
}

/** Everything that can be typed. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether names of files can be typed as well, which shells know better. */
  readonly files: boolean;
}

/** Where names come from that no table has. */
export type Sources = Readonly<
  Record<Exclude<Named, "file" | "command">, () => Promise<readonly Candidate[]>>
>;

/** What operands and the values of flags stand for, unless a command says otherwise. */
const COMPLETES: Readonly<Record<string, Completes>> = {
  FILE: "file",
  DIRECTORY: "file",
  NAME: "tunnel",
  TUNNEL: "tunnel",
  LINK: "link",
  CLIENT: "client",
  COMMAND: "command",
};

/** Returns what can be typed in place of the last of `words`. */
export async function complete(
  words: readonly string[],
  commands: readonly Command[],
  sources: Sources,
): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { command, operands, openFlag } = readWords(before, commands);
  const flags = command ? { ...command.flags, ...GLOBAL_FLAGS } : TOP_FLAGS;
  const context = { commands, sources, completes: { ...COMPLETES, ...command?.completes } };
  const found = await (async (): Promise<Completion> => {
    if (openFlag) return await valuesOf(openFlag, context);
    if (/^--[^=]+=/.test(typed)) return await flagValues(typed, flags, context);
    if (typed.startsWith("-")) return { candidates: flagCandidates(flags), files: false };
    if (!command) return { candidates: commands.map(candidateOf), files: false };
    const operand = operandAt(command.operands, operands);
    return operand === undefined ? NOTHING : await alternatives(operand, context);
  })();
  const candidates = found.candidates.filter(({ value }) => value.startsWith(typed));
  return {
    candidates: [...new Map(candidates.map((one) => [one.value, one])).values()],
    files: found.files,
  };
}

const NOTHING: Completion = { candidates: [], files: false };

/** What finding candidates needs. */
interface Context {
  readonly commands: readonly Command[];
  readonly sources: Sources;
  readonly completes: Readonly<Record<string, Completes>>;
}

/** The words before the one that is typed. */
interface Before {
  readonly command: Command | undefined;
  /** Number of operands after the command. */
  readonly operands: number;
  /** A flag whose value comes next. */
  readonly openFlag: Flag | undefined;
}

function readWords(words: readonly string[], commands: readonly Command[]): Before {
  let command: Command | undefined;
  let operands = 0;
  let openFlag: Flag | undefined;
  for (const word of words) {
    const flags = command ? { ...command.flags, ...GLOBAL_FLAGS } : TOP_FLAGS;
    if (openFlag) openFlag = undefined;
    else if (word.startsWith("-")) openFlag = flagWithValue(word, flags);
    else if (command) operands++;
    else command = commands.find(({ name }) => name === word) ?? UNKNOWN;
  }
  return { command, operands, openFlag };
}

/** Behind a word that is no command nothing is known. */
const UNKNOWN: Command = {
  name: "",
  operands: "",
  summary: "",
  description: "",
  flags: {},
  run: () => Promise.resolve(0),
};

function flagWithValue(word: string, flags: Readonly<Record<string, Flag>>): Flag | undefined {
  const flag = Object.entries(flags)
    .find(([name, { short }]) => word === `--${name}` || word === `-${short}`)?.[1];
  return flag?.value === undefined ? undefined : flag;
}

async function flagValues(
  typed: string,
  flags: Readonly<Record<string, Flag>>,
  context: Context,
): Promise<Completion> {
  const head = typed.slice(0, typed.indexOf("=") + 1);
  const flag = flagWithValue(head.slice(0, -1), flags);
  if (!flag) return NOTHING;
  const { candidates, files } = await valuesOf(flag, context);
  return { candidates: candidates.map(({ value, doc }) => ({ value: head + value, doc })), files };
}

async function valuesOf({ value, choices, doc }: Flag, context: Context): Promise<Completion> {
  if (choices) {
    return { candidates: choices.map((choice) => ({ value: choice, doc })), files: false };
  }
  return await alternatives(value ?? "", context);
}

function flagCandidates(flags: Readonly<Record<string, Flag>>): Candidate[] {
  return Object.entries(flags).map(([name, { value, doc }]) => ({
    value: `--${name}${value === undefined ? "" : "="}`,
    doc,
  }));
}

function candidateOf({ name, summary }: Command): Candidate {
  return { value: name, doc: summary };
}

/** Returns the operand at a place, without its brackets; the last one may be repeated. */
function operandAt(operands: string, at: number): string | undefined {
  const declared = operands.split(" ").filter(Boolean).map((word) => word.replace(/[[\]]/g, ""));
  const isRepeated = declared.at(-1)?.endsWith("...") ?? false;
  const names = declared.map((word) => word.replace(/\.\.\.$/, "")).filter(Boolean);
  return names[at] ?? (isRepeated ? names.at(-1) : undefined);
}

/** What each alternative of `FILE|NAME` or `on|off` stands for: words in capitals are names. */
async function alternatives(operand: string, context: Context): Promise<Completion> {
  const parts = await Promise.all(operand.split("|").map((word) => wordsFor(word, context)));
  return {
    candidates: parts.flatMap(({ candidates }) => candidates),
    files: parts.some(({ files }) => files),
  };
}

async function wordsFor(
  word: string,
  { commands, sources, completes }: Context,
): Promise<Completion> {
  if (!/^[A-Z]/.test(word)) {
    return { candidates: word ? [{ value: word, doc: "" }] : [], files: false };
  }
  const kind = completes[word];
  if (kind === undefined) return NOTHING;
  if (typeof kind !== "string") {
    return { candidates: kind.map((value) => ({ value, doc: "" })), files: false };
  }
  if (kind === "file") return { candidates: [], files: true };
  if (kind === "command") return { candidates: commands.map(candidateOf), files: false };
  return { candidates: await sources[kind](), files: false };
}
