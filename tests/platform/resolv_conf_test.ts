/** The changes are carried out by the system's own commands, on a file in a directory of the test. */

import { assertEquals } from "@std/assert";
import { readResolvConf, resolvConfChanges } from "../../src/platform/resolv_conf.ts";
import { applyChanges, runCommand, type Undo, undoWith } from "../../src/platform/run_changes.ts";
import { address } from "../addresses.ts";

const OWN = "# mine\nnameserver 198.51.100.53\nsearch example.net\noptions edns0\n";
const WRITTEN = "# Written by aggvpn for agg0, until that ends.\n" +
  "nameserver 10.44.43.2\nnameserver 2001:db8::53\nsearch example.net\noptions edns0\n";

class Host {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/resolv.conf`;
  /** What the journal would have. */
  journal: readonly (readonly string[])[] = [];

  start(): Undo {
    const dns = [address("10.44.43.2"), address("2001:db8::53")];
    const before = readResolvConf("agg0", this.path);
    const changes = resolvConfChanges("agg0", dns, before, this.path);
    return applyChanges(changes, () => {}, runCommand, (undo) => this.journal = undo);
  }

  get text(): string | undefined {
    const names = [...Deno.readDirSync(this.directory)].map(({ name }) => name);
    return names.includes("resolv.conf") ? Deno.readTextFileSync(this.path) : undefined;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("resolvConfChanges() replaces the name servers, and brings the file back", () => {
  using host = new Host();
  Deno.writeTextFileSync(host.path, OWN, { mode: 0o640 });
  const undo = host.start();
  assertEquals(host.text, WRITTEN);
  undo();
  assertEquals(host.text, OWN);
  assertEquals(Deno.statSync(host.path).mode! & 0o777, 0o640);
  assertEquals([...Deno.readDirSync(host.directory)].length, 1, "no copy is left");
});

Deno.test("resolvConfChanges() removes a file where there was none", () => {
  using host = new Host();
  const undo = host.start();
  assertEquals(host.text, WRITTEN.split("search")[0]);
  undo();
  assertEquals(host.text, undefined);
});

Deno.test("resolvConfChanges() are undone by the journal, and without it by the next start", () => {
  using host = new Host();
  Deno.writeTextFileSync(host.path, OWN);
  host.start();
  undoWith(host.journal, () => {});
  assertEquals(host.text, OWN);

  host.start();
  host.journal = [];
  const undo = host.start();
  assertEquals(host.text, WRITTEN);
  undo();
  assertEquals(host.text, OWN);
});

Deno.test("resolvConfChanges() do not take an old copy for a file that was written since", () => {
  using host = new Host();
  Deno.writeTextFileSync(host.path, OWN);
  host.start();
  Deno.writeTextFileSync(host.path, "nameserver 203.0.113.53\n");
  const undo = host.start();
  undo();
  assertEquals(host.text, "nameserver 203.0.113.53\n");
});

Deno.test("readResolvConf() tells a link, which another program keeps", () => {
  using host = new Host();
  Deno.symlinkSync("/run/keeper/resolv.conf", host.path);
  const { target, text } = readResolvConf("agg0", host.path);
  assertEquals([target, text], ["/run/keeper/resolv.conf", undefined]);
});
