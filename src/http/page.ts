/**
 * The dashboard's page, which the build puts into the program: one document that loads nothing.
 *
 * @module
 */

/** The page as the build leaves it in `AGGVPN_PAGE`: see tools/build/page.ts. */
export interface Page {
  /** The document, compressed with gzip, in base64. */
  readonly document: string;
  /** What `script-src` and `style-src` of its policy allow: the digests of what is in it. */
  readonly script: string;
  readonly style: string;
}

/** Returns the page; undefined when the program runs from its sources. */
export function builtPage(): Page | undefined {
  return (globalThis as { AGGVPN_PAGE?: Page }).AGGVPN_PAGE;
}

/** Returns what the page may do: run what came with it, and ask the server that it is from. */
export function contentSecurityPolicy({ script, style }: Page): string {
  return [
    "default-src 'none'",
    `script-src '${script}'`,
    `style-src '${style}'`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/** Returns the bytes of the document: compressed, or for who does not take that, not. */
export async function documentOf(
  { document }: Page,
  compressed: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = Uint8Array.fromBase64(document);
  if (compressed) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
