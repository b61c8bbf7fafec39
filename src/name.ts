/**
 * What tunnels, links and clients may be called. Names are shown on terminals and are arguments of
 * scripts, so those that come from the network obey the same rule.
 *
 * @module
 */

/** Tells whether `text` can name a tunnel, a link or a client. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,32}$/.test(text);
}

/**
 * Makes a name of one that another host has chosen, such as the interface `eth0.7`: what
 * {@linkcode isName} refuses becomes `_`, and so does a dash in front, which would be an option of
 * a command. Empty when no letter or digit is left.
 */
export function plainName(text: string): string {
  const name = text.slice(0, 32).replace(/[^A-Za-z0-9_-]|^-/g, "_");
  return /[A-Za-z0-9]/.test(name) ? name : "";
}
