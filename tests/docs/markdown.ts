/**
 * What tests read from documents: fenced blocks and the code in their prose.
 *
 * @module
 */

/** A fenced block. */
export interface Block {
  /** First word after the fence. */
  readonly language: string;
  readonly text: string;
}

/** Returns the text of a document, by its path from the root of the repository. */
export function readDocument(path: string): string {
  return Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
}

/** Returns all fenced blocks, or those in one language. */
export function blocksOf(markdown: string, language?: string): Block[] {
  return [...markdown.matchAll(/^```(\S*)[^\n]*\n([^]*?)^```/gm)]
    .map(([, language = "", text = ""]) => ({ language, text }))
    .filter((block) => language === undefined || block.language === language);
}

/** Returns the block whose first line is the comment `# title...`. Throws unless there is one. */
export function blockTitled(markdown: string, title: string): string {
  const found = blocksOf(markdown).filter(({ text }) => text.startsWith(`# ${title}`));
  if (found.length !== 1) throw new Error(`${found.length} blocks begin with "# ${title}"`);
  return found[0]!.text;
}

/** Returns the code in prose and tables: what is between single backticks. */
export function codeOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```[^]*?^```/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
}
