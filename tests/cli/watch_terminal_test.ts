/** `aggvpn status --watch` on real terminals, of script(1). */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ControlServer, openControl } from "../../src/control/server.ts";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { missingTool, skippedFor } from "../host_tools.ts";
import { linkEvent } from "../link_events.ts";
import { document, DSL, LTE } from "./status_documents.ts";
import { TerminalRun } from "./terminal.ts";

/** A tunnel to watch, as far as its control socket shows. */
class Tunnel implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/home.sock`;
  readonly events = new EventHub();
  answer: unknown = document([DSL, LTE]);
  #server: ControlServer | undefined;

  async open(): Promise<this> {
    this.#server = await openControl(this.path, { status: () => this.answer }, {
      events: ({ history }, signal) => this.events.follow(signal, history === true),
    });
    return this;
  }

  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function isComplete(run: TerminalRun): boolean {
  return run.frames.at(-1)?.at(-1)?.includes("q quits") ?? false;
}

function test(name: string, fn: () => Promise<void>): void {
  const reason = Deno.build.os === "linux" ? missingTool("script") : "not Linux";
  Deno.test({ ...skippedFor(reason, name), fn });
}

for (const [columns, rows] of [[40, 20], [80, 24], [200, 50]] as const) {
  test(`status --watch fills a terminal of ${columns} columns, and q leaves it as it was`, async () => {
    using tunnel = await new Tunnel().open();
    await using run = new TerminalRun(["status", "--watch", tunnel.path], columns, rows);
    await run.until((run) => run.frames.length >= 3 && isComplete(run));
    await run.type("q");
    assertEquals(await run.end(), { code: 0, isClean: true, errors: "" });
    for (const frame of run.frames) {
      assertEquals(frame.length, rows);
      for (const line of frame) assert([...line].length <= columns, line);
    }
    const text = run.frames[0]!.join("\n");
    for (const word of ["home: client on agg0", "dsl", "lte", "21.3"]) {
      assertStringIncludes(text, word);
    }
  });
}

test("status --watch shows events at once, and follows the size of the terminal", async () => {
  using tunnel = await new Tunnel().open();
  await using run = new TerminalRun(["status", "--watch", tunnel.path], 80, 24);
  await run.until(isComplete);
  tunnel.events.publish(
    linkEvent({
      link: "lte",
      state: "down",
      reason: "nothing heard for 148 ms",
      resentPackets: 37,
      others: ["fibre"],
    }),
  );
  const words = "link lte down: nothing heard for 148 ms; 37 packets re-sent on fibre";
  await run.until((run) => run.frames.at(-1)!.join("\n").includes(words));
  await run.resize(50, 12);
  await run.until((run) => run.frames.at(-1)!.length === 12 && isComplete(run));
  for (const line of run.frames.at(-1)!) assert([...line].length <= 50, line);
  await run.type("q");
  assertEquals((await run.end()).isClean, true);
});

test("status --watch leaves the terminal clean on Ctrl-C, SIGTERM and SIGHUP", async () => {
  using tunnel = await new Tunnel().open();
  const ends: readonly ((run: TerminalRun) => Promise<void> | void)[] = [
    (run) => run.type("\x03"),
    (run) => run.signal("SIGTERM"),
    (run) => run.signal("SIGHUP"),
  ];
  for (const end of ends) {
    await using run = new TerminalRun(["status", "--watch", tunnel.path], 80, 24);
    await run.until(isComplete);
    await end(run);
    assertEquals(await run.end(), { code: 0, isClean: true, errors: "" });
  }
});

test("status --watch leaves the terminal clean when it fails, and says why below", async () => {
  using tunnel = await new Tunnel().open();
  await using run = new TerminalRun(["status", "--watch", tunnel.path], 80, 24);
  await run.until(isComplete);
  tunnel.answer = { version: 1 };
  const { code, isClean, errors } = await run.end();
  assertEquals([code, isClean], [1, true]);
  assertStringIncludes(errors, "This is a bug: TypeError");
});

test("status --watch waits for a tunnel that has ended to come back", async () => {
  using tunnel = await new Tunnel().open();
  await using run = new TerminalRun(["status", "--watch", tunnel.path], 80, 24);
  await run.until(isComplete);
  tunnel.close();
  const trouble = "No tunnel is running at";
  await run.until((run) => run.frames.at(-1)!.join("\n").includes(trouble) && isComplete(run));
  await tunnel.open();
  tunnel.events.publish(linkEvent({ link: "late" }));
  await run.until((run) => {
    const text = run.frames.at(-1)!.join("\n");
    return !text.includes(trouble) && text.includes("link late up") && isComplete(run);
  });
  await run.type("q");
  assertEquals((await run.end()).isClean, true);
});

Deno.test("status --watch in a pipeline is plain, and ends when nobody reads it any more", async () => {
  using tunnel = await new Tunnel().open();
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const line = '"$1" run -A "$2" status --watch "$3" | head -n 40';
  const { code, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", line, "sh", Deno.execPath(), main, tunnel.path],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals([code, text.includes("\x1b")], [0, false]);
  assert(text.split("home: client on agg0").length >= 3, text);
});
