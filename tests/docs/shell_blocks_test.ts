/** The shell commands of the documents: every shell that a user may have can read them. */

import { assertEquals, assertGreater } from "@std/assert";
import { run } from "../../lab/process.ts";
import { shellTest } from "../build/shells.ts";
import { blocksOf, readDocument } from "./markdown.ts";

const DOCUMENTS = ["README.md", "docs/linux.md", "docs/openbsd.md"];

shellTest("the shell blocks of the guides can be read", async (shell) => {
  for (const document of DOCUMENTS) {
    const blocks = blocksOf(readDocument(document), "sh");
    assertGreater(blocks.length, 1);
    for (const { text } of blocks) assertEquals(await run([...shell, "-n"], text), "");
  }
});
