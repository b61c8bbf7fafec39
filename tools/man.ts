/**
 * Writes the manual pages to `build/man/`: aggvpn.8 and aggvpn.toml.5. Their date is that of
 * SOURCE_DATE_EPOCH, else of the commit, else today.
 *
 * @module
 */

import { sourceDate } from "./build/source_date.ts";
import { aggvpn8 } from "./man/aggvpn_8.ts";
import { aggvpnToml5 } from "./man/aggvpn_toml_5.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** Writes the pages into `directory` and returns their names. */
export async function writeManualPages(
  directory: string,
  date: Date,
): Promise<readonly string[]> {
  const readExample = (name: string): string => Deno.readTextFileSync(`${ROOT}examples/${name}`);
  const pages = {
    "aggvpn.8": aggvpn8(date),
    "aggvpn.toml.5": aggvpnToml5(date, readExample),
  };
  await Deno.mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(pages)) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
  }
  return Object.keys(pages);
}

if (import.meta.main) {
  const names = await writeManualPages(`${ROOT}build/man`, await sourceDate());
  const text = names.map((name) => `build/man/${name}\n`).join("");
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
