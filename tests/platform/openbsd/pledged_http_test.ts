/**
 * Metrics and the dashboard after pledge(2): they are served, and opened late when they have to be.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { eventually } from "../../../lab/require.ts";
import { openServer } from "../../../src/http/open_server.ts";
import { plain } from "../../../src/http/response.ts";
import { sandbox } from "../../../src/platform/openbsd/sandbox.ts";
import { address } from "../../addresses.ts";
import { pledgeDeno } from "./fake_deno.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway } from "./golden.ts";

Deno.test("HTTP is served, and a port that becomes free is opened, after pledge(2)", async () => {
  const host = address("127.0.0.1");
  const listeners = [0, 1].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const [first, second] = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  listeners[0]!.close();
  const libc = new FakeLibc(gateway(new FakeWorld()));
  using _ = pledgeDeno(libc.sandbox);
  const servers = [first!, second!].map((port) =>
    openServer("test", { host, port }, () => plain(200, `${port}`), 10)
  );
  sandbox(libc, { programs: [], files: [], directories: [], lookups: [] });
  assert(libc.sandbox.promises);
  listeners[1]!.close();
  // The browser is another process: fetch() is not checked.
  const answer = (port: number): Promise<string> =>
    fetch(`http://127.0.0.1:${port}/`).then((response) => response.text(), () => "");
  for (const port of [first!, second!]) {
    assert(await eventually(async () => await answer(port) === `${port}\n`, 20_000));
  }
  for (const server of servers) server.close();
  assertEquals(libc.sandbox.refusals, []);
  assert(libc.sandbox.needed.has("inet"));
});
