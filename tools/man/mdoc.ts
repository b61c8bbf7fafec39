/**
 * Text as mdoc(7), the language of manual pages: one sentence a line, and what is between backquotes
 * as code.
 *
 * @module
 */

/** Longest line of input that mandoc(1) likes. */
const COLUMNS = 78;

/** What ends a sentence: not the points within a name or a number. */
const SENTENCE_END = /(?<=[.!?]["')]?)\s+(?=["'(`A-Z0-9])/;

/** Returns paragraphs, separated by empty lines in `text`, with `.Pp` between them. */
export function paragraphs(text: string): string {
  return text.trim().split(/\n\s*\n/).map(paragraph).join(".Pp\n");
}

/** Returns one paragraph as lines, each ending in a newline. */
export function paragraph(text: string): string {
  const plain = text.trim().replace(/\s+/g, " ");
  return codeSpans(plain).map((span) => span.isCode ? codeLine(span) : textLines(span.text))
    .join("");
}

/** A piece of text, or of code with the punctuation around it. */
interface Span {
  readonly text: string;
  readonly isCode: boolean;
  readonly before?: string;
  readonly after?: string;
}

function codeSpans(text: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(/([("[]*)`([^`]+)`([^\s`]*)/g)) {
    const [whole, before = "", code = "", after = ""] = match;
    spans.push({ text: text.slice(at, match.index), isCode: false });
    spans.push({ text: code, isCode: true, before, after });
    at = match.index + whole.length;
  }
  spans.push({ text: text.slice(at), isCode: false });
  return spans.filter((span) => span.isCode || span.text.trim() !== "");
}

function codeLine({ text, before = "", after = "" }: Span): string {
  // Punctuation that stands alone is set outside of the quotes.
  const words = [...before, argument(text), ...after.match(/^[.,;:?!)\]"']*$/) ? after : []];
  const rest = /^[.,;:?!)\]"']*$/.test(after) ? "" : ` Ns ${argument(after)}`;
  return `.Ql ${words.join(" ")}${rest}\n`;
}

function textLines(text: string): string {
  return text.trim().split(SENTENCE_END).flatMap(fill).map((line) => `${escapeLine(line)}\n`)
    .join("");
}

function fill(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** A line of text: nothing in it is a request. */
function escapeLine(line: string): string {
  return escape(line).replace(/^(?=[.'])/, "\\&");
}

/** Returns `text` as one argument of a macro, which is no macro itself. */
export function argument(text: string): string {
  const escaped = escape(text).replaceAll("-", "\\-").replaceAll('"', '""');
  const isMacroName = /^[A-Z%][A-Za-z0-9]{1,2}$/.test(text);
  const isPunctuation = /^[.,;:?!()[\]|]$/.test(text);
  return `"${isMacroName || isPunctuation ? "\\&" : ""}${escaped}"`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("±", "\\(+-").replaceAll("…", "...")
    // mandoc wants a macro for this name, which would take a line of its own.
    .replaceAll("OpenBSD", "Open\\&BSD");
}

/** Returns the head of a part of a section, which may end with a bracket. */
export function subsection(title: string): string {
  return `.Ss ${argument(title).replace(/"$/, '\\&"')}\n`;
}

/** Returns lines that are shown as they are. */
export function display(text: string): string {
  const lines = text.trimEnd().split("\n").map((line) => escapeLine(line).replaceAll("-", "\\-"));
  return `.Bd -literal -offset indent\n${lines.join("\n")}\n.Ed\n`;
}

/** Returns a list of terms with what is said about them. */
export function tagged(items: readonly (readonly [term: string, body: string])[]): string {
  const text = items.map(([term, body]) => `.It ${term}\n${body}`).join("");
  return `.Bl -tag -width Ds\n${text}.El\n`;
}

/** Returns the head of a page. */
export function head(options: {
  readonly name: string;
  readonly section: number;
  readonly summary: string;
  readonly date: Date;
}): string {
  const { name, section, summary, date } = options;
  const month = date.toLocaleString("en-US", { month: "long", timeZone: "UTC" });
  return `.\\" Made by tools/man.ts; changes are lost.
.Dd ${month} ${date.getUTCDate()}, ${date.getUTCFullYear()}
.Dt ${name.toUpperCase()} ${section}
.Os
.Sh NAME
.Nm ${name}
.Nd ${summary}
`;
}
