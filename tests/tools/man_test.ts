import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { COMMANDS } from "../../src/cli/commands.ts";
import { SECTIONS, TOP_KEYS } from "../../src/config/schema.ts";
import { sourceDate } from "../../tools/build/source_date.ts";
import { writeManualPages } from "../../tools/man.ts";
import { argument, display, paragraph, subsection } from "../../tools/man/mdoc.ts";
import { missingTool, skippedFor } from "../host_tools.ts";

/** The pages themselves, which are not installed where this runs. */
const NOT_INSTALLED = /STYLE: referenced manual not found: Xr aggvpn(?:\.toml)? [58]/;

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "aggvpn-man-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function mandoc(...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("mandoc", { args }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test({
  ...skippedFor(missingTool("mandoc"), "the manual pages please mandoc"),
  fn: () =>
    inDirectory(async (directory) => {
      const pages = await writeManualPages(directory, new Date(0));
      assertEquals(pages, ["aggvpn.8", "aggvpn.toml.5"]);
      for (const page of pages) {
        const lines = (await mandoc("-Tlint", `${directory}/${page}`)).split("\n");
        assertEquals(lines.filter((line) => line !== "" && !NOT_INSTALLED.test(line)), [], page);
      }
    }),
});

Deno.test({
  ...skippedFor(missingTool("mandoc"), "the manual pages have every command, flag and key"),
  fn: () =>
    inDirectory(async (directory) => {
      await writeManualPages(directory, new Date(0));
      const read = async (page: string): Promise<string> =>
        // Bold letters are overstruck.
        // deno-lint-ignore no-control-regex
        (await mandoc("-Tascii", `${directory}/${page}`)).replaceAll(/.\x08/g, "");
      const commands = await read("aggvpn.8");
      for (const { name, flags } of COMMANDS) {
        assertStringIncludes(commands, `aggvpn ${name}`);
        for (const flag of Object.keys(flags)) assertStringIncludes(commands, `--${flag}`);
      }
      const keys = await read("aggvpn.toml.5");
      const names = [TOP_KEYS, ...Object.values(SECTIONS).map((section) => section.keys)]
        .flatMap((table) => Object.keys(table));
      for (const name of names) assertStringIncludes(keys, `\n     ${name} = `);
      for (const { header } of Object.values(SECTIONS)) assertStringIncludes(keys, header);
    }),
});

Deno.test("paragraph writes a sentence a line, and code as code", () => {
  assertEquals(
    paragraph("Run `aggvpn up FILE`, or not. The file\n(`-v`) is .hidden: 3.5 of 4."),
    'Run\n.Ql "aggvpn up FILE" ,\nor not.\nThe file\n.Ql ( "\\-v" )\nis .hidden: 3.5 of 4.\n',
  );
  assertEquals(paragraph(".Sh is text, 'so is this"), "\\&.Sh is text, 'so is this\n");
  assertEquals(paragraph("`NAME`s and \\n"), '.Ql "NAME" Ns "s"\nand \\en\n');
});

Deno.test("argument, display and subsection hide what mdoc would take for something else", () => {
  assertEquals([argument("Op"), argument("|"), argument('a "b"')], [
    '"\\&Op"',
    '"\\&|"',
    '"a ""b"""',
  ]);
  assertEquals(display("# a\n.Sh b\n"), ".Bd -literal -offset indent\n# a\n\\&.Sh b\n.Ed\n");
  assertEquals(subsection("[tunnel]"), '.Ss "[tunnel]\\&"\n');
});

Deno.test("paragraph never lets text become a macro, and its lines stay short", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    for (const line of paragraph(text).split("\n")) {
      assert(!/^[.'](?!Ql )/.test(line), line);
    }
  }));
  fc.assert(fc.property(fc.array(fc.constantFrom("word", "a.b", "Longer", "x.")), (words) => {
    for (const line of paragraph(words.join(" ")).split("\n")) assert(line.length <= 80, line);
  }));
});

Deno.test("sourceDate is that of SOURCE_DATE_EPOCH, and refuses what is none", async () => {
  assertEquals((await sourceDate("1764345600")).toISOString(), "2025-11-28T16:00:00.000Z");
  const error = await sourceDate("yesterday").catch((error) => error);
  assertStringIncludes(error.message, 'SOURCE_DATE_EPOCH is "yesterday"');
});
