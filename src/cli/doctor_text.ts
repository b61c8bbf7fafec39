/**
 * What an examination found, as text for people: a paragraph for each link, as wide as the terminal.
 *
 * @module
 */

import type { Diagnosis } from "../doctor/diagnose.ts";
import type { Finding, Verdict } from "../doctor/finding.ts";
import { paint } from "./color.ts";

/** What stands before a finding; all have the same width. */
const MARKS: Readonly<Record<Verdict, string>> = {
  ok: "ok   ",
  note: "note ",
  fault: "FAULT",
  skipped: "-    ",
};
const STYLES: Partial<Record<Verdict, "red" | "yellow">> = { fault: "red", note: "yellow" };
const INDENT = "  ";
const HANGING = " ".repeat(INDENT.length + MARKS.ok.length + 1);

/** Returns the whole text, ending in a newline. */
export function doctorText(diagnosis: Diagnosis, columns: number, color: boolean): string {
  const { facts, host, links, faults } = diagnosis;
  const how = facts.isRunning ? "running, and asked" : "not running: a session was made to measure";
  const lines = [
    ...wrap("", HANGING, `${facts.tunnel} (${how})`, columns),
    ...host.flatMap((finding) => findingLines(finding, columns, color)),
    ...links.flatMap(({ facts: link, findings }) => [
      "",
      ...headLines(link.name, `${link.way} to ${link.server ?? "nowhere"}`, columns, color),
      ...findings.flatMap((finding) => findingLines(finding, columns, color)),
    ]),
    "",
    faults === 0 ? "no faults" : faults === 1 ? "1 fault" : `${faults} faults`,
  ];
  return lines.join("\n") + "\n";
}

function headLines(name: string, rest: string, columns: number, color: boolean): string[] {
  const [first = "", ...others] = wrap("", INDENT, `${name}  ${rest}`, columns);
  return [first.replace(name, () => paint("bold", name, color)), ...others];
}

function findingLines(finding: Finding, columns: number, color: boolean): string[] {
  const { check, verdict, text, advice } = finding;
  const mark = MARKS[verdict];
  const style = STYLES[verdict];
  const [first = "", ...rest] = wrap(`${INDENT}${mark} `, HANGING, `${check}: ${text}`, columns);
  const painted = style ? first.replace(mark, () => paint(style, mark, color)) : first;
  const more = advice === undefined ? [] : wrap(`${HANGING}-> `, `${HANGING}   `, advice, columns);
  return [painted, ...rest, ...more];
}

/** Breaks `text` between words, and a word that is longer than a line. */
function wrap(head: string, hanging: string, text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (let word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      [line, isEmpty] = [hanging, true];
    }
    while (isEmpty && line.length + word.length > columns) {
      const room = columns - line.length;
      lines.push(line + word.slice(0, room));
      [line, word] = [hanging, word.slice(room)];
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
