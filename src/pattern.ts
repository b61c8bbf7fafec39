/**
 * Shell-like patterns of names: `*` stands for any text, `?` for one character.
 *
 * @module
 */

/** Tells whether `text` is a pattern, and not just a name. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** Tells whether `name` is one that `pattern` means. */
export function matchesPattern(pattern: string, name: string): boolean {
  // Every run of stars is one: a name of at most 15 characters is then compared quickly.
  const parts = pattern.replaceAll(/\*+/g, "*").split(/([*?])/);
  const source = parts.map((part) =>
    part === "*" ? ".*" : part === "?" ? "." : RegExp.escape(part)
  );
  return new RegExp(`^${source.join("")}$`, "s").test(name);
}
