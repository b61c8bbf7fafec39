import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { History, SAMPLES } from "../../../src/cli/live/history.ts";
import { BLOCKS } from "../../../src/cli/live/sparkline.ts";
import { type Scene, viewLines } from "../../../src/cli/live/view.ts";
import { document, DSL, LTE, PEER } from "../status_documents.ts";

/** Two minutes in which DSL carried more and more, and LTE died in the middle. */
function twoMinutes(): History {
  const history = new History();
  for (let i = 0; i < 2 * SAMPLES; i++) {
    const dsl = { ...DSL, sendBps: i * 2e5, srttUs: 20_000 + i * 50 };
    const lte = i < 1.5 * SAMPLES ? { ...LTE, state: "up" as const, srttUs: 40_000 } : LTE;
    history.add([{ ...PEER, links: [dsl, lte] }]);
  }
  return history;
}

const EVENTS = ["18:00:01 session with server up at 192.0.2.1:5080", "18:00:02 link dsl up"];

function view(columns: number, rows: number, scene: Partial<Scene> = {}): string[] {
  return viewLines({
    status: document([DSL, LTE]),
    history: twoMinutes(),
    events: EVENTS,
    ...scene,
  }, { columns, rows, color: false, unicode: true, ramp: BLOCKS });
}

Deno.test("viewLines() shows tunnel, links, graphs, reasons and events at 80 columns", () => {
  assertEquals(
    view(80, 24).join("\n"),
    `\
home: client on agg0, 10.7.0.2/30, fd00::2/64, MTU 1434, up 3 h 12 min, pid 812,
  57.2 MB
session with server at 192.0.2.1:5080 for 3 h 11 min, aes256gcm (libcrypto)
LINK  STATE  FOR   TIER      RTT     ±     LOSS   SEND   RECV  SHARE   RATE
                              ms    ms        %  bit/s  bit/s      %  bit/s
dsl   up     3h3m  primary  21.3  0.42  0.0/1.2  48.1M  1.21M    100  50.2M
lte   down   3m2s  backup      -     -  100/100      0      0      -      -
last 2 min, up to 47.8Mbit/s and 40.0 ms
dsl ↑   ▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇█████ ↓   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ RTT   ▆▆▆▆▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇
lte ↑   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ ↓   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ RTT   ██████████          
  dsl: from 192.0.2.7:40000 to 192.0.2.1:5080
  lte: no answer to probes, nothing heard for 1150 ms; last heard 3 min 3 s ago
  lte: to 192.0.2.1:5081








18:00:01 session with server up at 192.0.2.1:5080
18:00:02 link dsl up
home: q quits`,
  );
});

Deno.test("viewLines() stacks the graphs at 40 columns and leaves notes out where rows are few", () => {
  assertEquals(
    view(40, 16).join("\n"),
    `\
home: client on agg0, 10.7.0.2/30,
  fd00::2/64, MTU 1434, up 3 h 12 min,
  pid 812, 57.2 MB
session with server at 192.0.2.1:5080
  for 3 h 11 min, aes256gcm (libcrypto)
LINK STATE FOR   RTT    LOSS  SEND  RECV
                  ms       % bit/s bit/s
dsl  up    3h3m 21.3 0.0/1.2 48.1M 1.21M
lte  down  3m2s    - 100/100     0     0



18:00:01 session with server up at
  192.0.2.1:5080
18:00:02 link dsl up
home: q quits`,
  );
});

Deno.test("viewLines() has graphs of two minutes on a wide terminal", () => {
  const lines = view(200, 50);
  const graph = lines.find((line) => line.startsWith("dsl ↑"))!;
  assert(graph.length > 180, graph);
  assertStringIncludes(graph, "█ ↓");
  assertEquals(lines.length, 50);
});

Deno.test("viewLines() says what is wrong, also before anything is known", () => {
  const trouble = "No tunnel is running at /run/home.sock";
  assertEquals(
    view(80, 4, { status: undefined, trouble, events: [] }).filter((line) => line !== ""),
    [
      trouble,
      "aggvpn: q quits",
    ],
  );
  assertStringIncludes(view(80, 24, { trouble }).join("\n"), trouble);
});

Deno.test("viewLines() fills the terminal and never exceeds it", () => {
  const names = fc.array(fc.stringMatching(/^[a-z0-9-]{1,32}$/), { maxLength: 9 });
  const size = fc.record({
    columns: fc.integer({ min: 40, max: 200 }),
    rows: fc.integer({ min: 1, max: 70 }),
  });
  const events = fc.array(fc.constantFrom(...EVENTS, "18:00:03 " + "word ".repeat(30)));
  fc.assert(fc.property(names, size, events, (names, { columns, rows }, events) => {
    const status = document(names.map((name, id) => ({ ...DSL, name, id })));
    const lines = view(columns, rows, { status, events });
    assertEquals(lines.length, rows);
    for (const line of lines) assert([...line].length <= columns, line);
  }));
});

Deno.test("History forgets a link that has been gone for as long as it remembers", () => {
  const history = twoMinutes();
  assertEquals(history.of("server", "dsl").sendBps.length, SAMPLES);
  assertEquals(history.of("server", "lte").rttUs.filter(Number.isNaN).length, SAMPLES / 2);
  for (let i = 0; i < SAMPLES; i++) history.add([{ ...PEER, links: [LTE] }]);
  assertEquals(history.of("server", "dsl").sendBps, []);
  assertEquals(history.scale.bps, 0);
});
