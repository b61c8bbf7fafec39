/**
 * Reads metrics as a collector does, and refuses what one would refuse: written after the two
 * specifications, not after what writes them.
 *
 * @module
 */

/** One line with a value. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is told of a family, and its samples. */
export interface ReadFamily {
  readonly type: string;
  readonly help: string;
  readonly unit?: string | undefined;
  readonly samples: ReadSample[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  gauge: [""],
  counter: ["_total"],
  info: ["_info"],
};

/** Returns families by name. Throws Error with the line that is wrong. */
export function readExposition(text: string, isOpen: boolean): Map<string, ReadFamily> {
  if (!text.endsWith("\n")) throw new Error("No line end at the end");
  const lines = text.slice(0, -1).split("\n");
  if (isOpen && lines.pop() !== "# EOF") throw new Error("No # EOF");
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let current: { name: string; help?: string; type?: string; unit?: string } | undefined;
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, keyword, name, rest] = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? [];
    if (keyword === undefined) {
      if (line.startsWith("#")) fail("A comment");
      const sample = readSample(line) ?? fail("No sample");
      const family = families.get(current?.name ?? "") ?? fail("No family");
      const suffixes = isOpen ? SUFFIXES[family.type]! : [""];
      if (!suffixes.some((suffix) => sample.name === current!.name + suffix)) {
        fail("Another family");
      }
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(key)) fail("Twice");
      seen.add(key);
      family.samples.push(sample);
      continue;
    }
    if (keyword === "HELP") {
      if (families.has(name!)) fail("A family twice");
      current = { name: name!, help: unescape(rest!) };
    } else if (current?.name !== name) fail("Another family");
    else if (keyword === "TYPE") {
      if (!(rest! in SUFFIXES) || !isOpen && rest === "info") fail("A type");
      families.set(name!, { type: rest!, help: current!.help!, samples: [] });
    } else {
      if (!isOpen || !name!.endsWith(`_${rest}`)) fail("A unit");
      families.set(name!, { ...families.get(name!)!, unit: rest });
    }
  }
  return families;
}

function readSample(line: string): ReadSample | undefined {
  const [, name, labelText, value] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"\\]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined || Number.isNaN(Number(value))) return undefined;
  const labels: Record<string, string> = {};
  const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/y;
  for (; label.lastIndex < (labelText ?? "").length;) {
    const match = label.exec(labelText!);
    if (!match || match[1]! in labels) return undefined;
    labels[match[1]!] = unescape(match[2]!);
  }
  return { name, labels, value: Number(value) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\\"n])/g, (_, letter) => letter === "n" ? "\n" : letter);
}
