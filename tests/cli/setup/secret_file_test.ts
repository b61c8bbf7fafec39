import { assertEquals, assertThrows } from "@std/assert";
import {
  isThere,
  replaceText,
  tryDirectory,
  writeSecretFile,
} from "../../../src/cli/setup/secret_file.ts";
import { AggvpnError } from "../../../src/errors.ts";

function inDirectory(body: (directory: string) => void): () => void {
  return () => {
    const directory = Deno.makeTempDirSync();
    try {
      body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o7777;
}

Deno.test(
  "writeSecretFile writes for the owner only, with the directory",
  inDirectory((directory) => {
    const path = `${directory}/new/server.toml`;
    writeSecretFile(path, "a = 1\n");
    assertEquals([modeOf(path), modeOf(`${directory}/new`)], [0o600, 0o700]);
    assertEquals(Deno.readTextFileSync(path), "a = 1\n");
  }),
);

Deno.test(
  "writeSecretFile leaves what is there, or keeps it under another name",
  inDirectory((directory) => {
    const path = `${directory}/server.toml`;
    writeSecretFile(path, "old");
    assertThrows(() => writeSecretFile(path, "new"), AggvpnError, "it exists already");
    assertEquals(Deno.readTextFileSync(path), "old");
    writeSecretFile(path, "new", true);
    assertEquals([path, `${path}.old`].map((file) => Deno.readTextFileSync(file)), ["new", "old"]);
  }),
);

Deno.test(
  "writeSecretFile does not follow a link",
  inDirectory((directory) => {
    Deno.symlinkSync(`${directory}/elsewhere`, `${directory}/server.toml`);
    assertEquals(isThere(`${directory}/server.toml`), true);
    assertThrows(() => writeSecretFile(`${directory}/server.toml`, "x"), AggvpnError);
    assertEquals(isThere(`${directory}/elsewhere`), false);
  }),
);

Deno.test(
  "replaceText keeps the mode, follows a link, and leaves nothing behind",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/real.toml`, "old", { mode: 0o640 });
    Deno.chmodSync(`${directory}/real.toml`, 0o640);
    Deno.symlinkSync("real.toml", `${directory}/server.toml`);
    const path = `${directory}/server.toml`;
    assertThrows(() => replaceText(path, "older", "new"), AggvpnError, "somebody else");
    replaceText(path, "old", "new");
    assertEquals(Deno.readTextFileSync(`${directory}/real.toml`), "new");
    assertEquals(modeOf(`${directory}/real.toml`), 0o640);
    assertEquals(Deno.lstatSync(`${directory}/server.toml`).isSymlink, true);
    assertEquals([...Deno.readDirSync(directory)].length, 2);
    assertThrows(() => replaceText(`${directory}/none`, "", "x"), AggvpnError, "Cannot write");
  }),
);

Deno.test(
  "tryDirectory looks where a file could be made, and leaves nothing",
  inDirectory((directory) => {
    tryDirectory(`${directory}/a/b/server.toml`);
    assertEquals([...Deno.readDirSync(directory)], []);
    assertThrows(() => tryDirectory("/proc/aggvpn/server.toml"), AggvpnError, "Cannot write");
  }),
);
