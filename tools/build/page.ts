/**
 * The dashboard's page as one document that loads nothing, from the sources in `web/`.
 *
 * @module
 */

import type { Page } from "../../src/http/page.ts";
import { gzip } from "./selfextract.ts";

const WEB = new URL("../../web/", import.meta.url);

/** Makes the page. Throws with the bundler's message. */
export async function buildPage(): Promise<Page> {
  const script = await bundleScript();
  const style = await Deno.readTextFile(new URL("style.css", WEB));
  const template = await Deno.readTextFile(new URL("page.html", WEB));
  const document = template
    .replace("<style></style>", () => `<style>${style}</style>`)
    .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`);
  const packed = await gzip(new TextEncoder().encode(document));
  return {
    document: packed.toBase64(),
    script: await digest(script),
    style: await digest(style),
  };
}

async function bundleScript(): Promise<string> {
  const out = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const entry = new URL("main.ts", WEB).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform", "browser", "--minify", "--output", out, entry],
      cwd: WEB,
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`Cannot bundle "${entry}":\n${new TextDecoder().decode(stderr)}`);
    // In a document that would be the end of the script.
    return (await Deno.readTextFile(out)).replaceAll("</script", "<\\/script");
  } finally {
    await Deno.remove(out);
  }
}

/** As policies name it (CSP3 section 2.3.1). */
async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(bytes).toBase64()}`;
}
