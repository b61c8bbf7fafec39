/** What of the dashboard's page needs no browser. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { buildPage } from "../../tools/build/page.ts";
import { documentOf } from "../../src/http/page.ts";
import { LINK } from "../control/sample_status.ts";
import { streamEvents } from "../../web/event_stream.ts";
import { duration, milliseconds, percent, rate, size } from "../../web/format.ts";
import { Series, stacked } from "../../web/series.ts";

Deno.test("buildPage() makes one document that loads nothing, and says what is in it", async () => {
  const page = await buildPage();
  const text = new TextDecoder().decode(await documentOf(page, false));
  const [, style] = /<style>([^]*?)<\/style>/.exec(text)!;
  const [, script] = /<script type="module">([^]*?)<\/script>/.exec(text)!;
  const digest = async (part: string): Promise<string> => {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(part));
    return `sha256-${new Uint8Array(bytes).toBase64()}`;
  };
  assertEquals([page.style, page.script], [await digest(style!), await digest(script!)]);
  assertEquals(text.match(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?!data:)/g), null);
  assertEquals(/\b(?:import|export)\b\s*[{("*]/.exec(script!), null);
  assert(!/\son[a-z]+=/.test(text.replace(script!, "")), "handlers in attributes");
  assert(text.includes("Copyright (c) 2022 Leon Sorokin"), "the licence of uPlot");
  assert(page.document.length < 60_000, `${page.document.length} bytes in the program`);
});

Deno.test("streamEvents() reads events however they are cut", async () => {
  const events = [{ name: "sample", data: '{"a":"ü\\n"}' }, { name: "happening", data: "{}" }];
  const text = events.map(({ name, data }) => `event: ${name}\ndata: ${data}\n\n`).join("");
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
    const at = [0, ...cuts.sort((a, b) => a - b), text.length];
    const pieces = async function* (): AsyncGenerator<string> {
      for (let i = 1; i < at.length; i++) yield text.slice(at[i - 1], at[i]);
    };
    assertEquals(await Array.fromAsync(streamEvents(pieces())), events);
  }));
});

Deno.test("Series goes on after its history, and shows a gap as one", () => {
  const series = new Series();
  const link = { id: 1, name: "lte", send: [1, 2], receive: [3, 4], rtt: [null, 5] };
  const history = { ...link, sendLoss: [0, 0], receiveLoss: [0, 0] };
  series.begin({ atMs: [1000, 2000], links: [history] });
  series.add({ atMs: 2000, links: [] });
  assertEquals(series.times, [1, 2], "it is in the history already");
  series.add({
    atMs: 3000,
    links: [{ ...LINK, id: 0, sendBps: 7 }, { ...LINK, id: 1, sendBps: 8 }],
  });
  assertEquals(series.links.map(({ name, send }) => [name, ...send]), [
    ["dsl", null, null, 7],
    ["dsl", 1, 2, 8],
  ]);
  series.add({ atMs: 60_000, links: [{ ...LINK, id: 0, sendBps: 9 }] });
  assertEquals([series.times, series.links[0]!.send, series.links[1]!.send], [
    [1, 2, 3, 4, 60],
    [null, null, 7, null, 9],
    [1, 2, 8, null, null],
  ]);
  series.add({ atMs: 603_500, links: [{ ...LINK, id: 0 }] });
  assertEquals(series.times, [4, 60, 61, 603.5]);
  assertEquals(series.links.map(({ id, send }) => [id, send.length]), [[0, 4]]);
});

Deno.test("stacked() lays links on each other", () => {
  assertEquals(stacked([[1, null, 3, null], [10, 20, null, null]]), [
    [1, null, 3, null],
    [11, 20, 3, null],
  ]);
});

Deno.test("numbers are written as people read them", () => {
  const rates: [number | null, string][] = [
    [0, "0 bit/s"],
    [999, "999 bit/s"],
    [999_900, "1 Mbit/s"],
    [1_234_567, "1.23 Mbit/s"],
    [99_960_000, "100 Mbit/s"],
    [2.5e9, "2.5 Gbit/s"],
    [null, "–"],
  ];
  for (const [bps, text] of rates) assertEquals(rate(bps), text);
  assertEquals(size(39.2e9), "39.2 GB");
  assertEquals([milliseconds(21_340), milliseconds(0), milliseconds(null)], [
    "21.3 ms",
    "0 ms",
    "–",
  ]);
  assertEquals([percent(0.004), percent(1)], ["0.4 %", "100 %"]);
  assertEquals([59e6, 3599e6, 11_540e6, 100_000e6].map(duration), [
    "59 s",
    "59 min",
    "3 h 12 min",
    "1 d 3 h",
  ]);
});
