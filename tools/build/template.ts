/**
 * Shell scripts with places for values: `@KEY@`.
 *
 * @module
 */

/** Replaces every `@KEY@`; throws for a key without a value, a mistake in the template. */
export function render(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/@([A-Z0-9]+(?:_[A-Z0-9]+)*?)@/g, (_, key: string): string => {
    const value = values[key];
    if (value === undefined) throw new Error(`Cannot fill in "@${key}@": no such value`);
    return value;
  });
}
