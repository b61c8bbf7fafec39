/** Needs permission to write below the directory for temporary files. */

import { assertEquals, assertMatch } from "@std/assert";
import { monitor, timeOf } from "../../src/cli/commands/monitor.ts";
import { openControl } from "../../src/control/server.ts";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { linkEvent } from "../link_events.ts";
import { document, DSL } from "./status_documents.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const DOWN = linkEvent({ state: "down", reason: "no answer to probes" });

/** Runs `aggvpn monitor` against a tunnel that tells of `DOWN`, until `end` of it or the reader. */
async function run(
  flags: Record<string, true>,
  end: (tunnel: { close(): void }, reader: AbortController) => void,
): Promise<string> {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/home.sock`;
  const events = new EventHub(() => 1_795_889_402_987);
  events.publish(linkEvent());
  const control = await openControl(path, { status: () => document([DSL]) }, {
    events: ({ history }, signal) => events.follow(signal, history === true),
  });
  let isOpen = true;
  const server = {
    close: (): void => {
      if (isOpen) control.close();
      isOpen = false;
    },
  };
  const reader = new AbortController();
  let out = "";
  const shell = {
    stdout: (text: string): void => {
      out += text;
      if (text.includes("probes")) end(server, reader);
    },
    stderr: () => {},
    color: false,
    columns: 80,
    gone: reader.signal,
  };
  try {
    const running = monitor.run(shell, { operands: [path], flags });
    // An event before anybody follows is only history.
    const timer = setInterval(() => events.publish(DOWN), 20);
    assertEquals(await running, 0);
    clearInterval(timer);
    return out;
  } finally {
    reader.abort();
    server.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test({
  name: "monitor prints a line for each event, and says when the tunnel has ended",
  // The C library, which the first call opens, stays open.
  sanitizeResources: false,
  async fn(): Promise<void> {
    const lines = (await run({}, (tunnel) => tunnel.close())).trimEnd().split("\n");
    const time = timeOf(1_795_889_402_987);
    assertEquals(lines[0], `${time} link dsl down: no answer to probes`);
    assertMatch(lines.at(-1)!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} the tunnel has ended$/);
  },
});

Deno.test("monitor ends when nobody reads it any more, without a word", async () => {
  const text = await run({}, (_, reader) => reader.abort());
  assertEquals(text.includes("ended"), false);
});

Deno.test("monitor in a pipeline ends when its reader does, although nothing happens", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/home.sock`;
  const events = new EventHub();
  events.publish(DOWN);
  const server = await openControl(path, { status: () => document([DSL]) }, {
    events: (_, signal) => events.follow(signal, true),
  });
  try {
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", `"$1" run -A "$2" monitor "$3" | head -n 1`, "sh", Deno.execPath(), MAIN, path],
      env: { DENO_NO_UPDATE_CHECK: "1" },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0);
    assertMatch(text, /link dsl down: no answer to probes\n$/);
  } finally {
    server.close();
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("monitor --json prints an object a line, --history begins with the past", async () => {
  const text = await run({ json: true, history: true }, (tunnel) => tunnel.close());
  const objects = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(objects[0], { version: 1, ...linkEvent(), atMs: 1_795_889_402_987 });
  assertEquals(objects[1], { version: 1, ...DOWN, atMs: 1_795_889_402_987 });
  assertEquals([objects.at(-1).version, objects.at(-1).type], [1, "ended"]);
});
