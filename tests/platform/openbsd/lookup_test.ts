import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import type { CommandOutput } from "../../../src/platform/command_output.ts";
import { lookup } from "../../../src/platform/openbsd/lookup.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";

/** As `printf("%-39s %s\n", ...)` of getent(1) prints it. */
const OUTPUT = `192.0.2.1                               vpn.example.net
2001:db8::1                             vpn.example.net
`;

function answer(output: CommandOutput): {
  commands: string[];
  run: (command: readonly string[]) => Promise<CommandOutput>;
} {
  const commands: string[] = [];
  return {
    commands,
    run(command): Promise<CommandOutput> {
      commands.push(command.join(" "));
      return Promise.resolve(output);
    },
  };
}

function libc(rtable = 0): FakeLibc {
  return new FakeLibc(new FakeWorld().host(), { rtable });
}

Deno.test("lookup() asks in the routing table of the link", async () => {
  const { commands, run } = answer({ success: true, output: OUTPUT });
  const found = await lookup(libc(), run, "vpn.example.net", 1);
  assertEquals(found.map(({ bytes }) => bytes.length), [4, 16]);
  assertEquals(commands, ["route -T 1 exec getent hosts vpn.example.net"]);
});

Deno.test("lookup() says where a name is unknown", async () => {
  for (const output of [{ success: false, output: "" }, { success: true, output: "what?\n" }]) {
    const error = await assertRejects(
      () => lookup(libc(), answer(output).run, "vpn.example.net", 2),
      AggvpnError,
    );
    assertEquals(error.message, `Cannot resolve "vpn.example.net" in rdomain 2`);
    assertStringIncludes(error.hint!, "/etc/resolv.conf");
  }
});

Deno.test("lookup() asks this process's resolver in its own routing table", async () => {
  const { commands, run } = answer({ success: false, output: "" });
  const hosts = await Promise.all([
    lookup(libc(), run, "localhost", undefined),
    lookup(libc(3), run, "localhost", 3),
  ]);
  assertEquals(hosts.map((found) => found.length > 0), [true, true]);
  assertEquals(commands, []);
});
