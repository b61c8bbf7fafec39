/** The dashboard in a browser. */

import { assert, assertEquals } from "@std/assert";
import type { Browser, Page as Tab, SerializedAXNode } from "puppeteer-core";
import { AggvpnError } from "../../src/errors.ts";
import { buildPage } from "../../tools/build/page.ts";
import { LINK, PEER, statusOf } from "../control/sample_status.ts";
import { missingTool, skippedFor } from "../host_tools.ts";
import { type Fixture, invented, serveDashboard, TOKEN } from "../http/dashboard_fixture.ts";
import { openBrowser } from "./browser.ts";
import { linkEvent } from "../link_events.ts";

const page = await buildPage();

/** A tab, and what went wrong in it. */
interface Opened {
  readonly tab: Tab;
  /** Messages of the console and exceptions. */
  readonly complaints: string[];
  /** Addresses of requests that are not for the dashboard. */
  readonly elsewhere: string[];
}

function browserTest(name: string, body: (browser: Browser) => Promise<void>): void {
  Deno.test({
    ...skippedFor(missingTool("chromium"), name),
    // The browser's pipes close a moment later.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const browser = await openBrowser();
      try {
        await body(browser);
      } finally {
        await browser.close();
      }
    },
  });
}

async function open(
  browser: Browser,
  { port }: Fixture,
  { width = 1200, scheme = "light", fragment = `#${TOKEN}` } = {},
): Promise<Opened> {
  const tab = await browser.newPage();
  const [complaints, elsewhere]: [string[], string[]] = [[], []];
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`http://127.0.0.1:${port}/`) && !url.startsWith("data:")) {
      elsewhere.push(url);
    }
  });
  await tab.setViewport({ width, height: 740, isMobile: width < 500 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(`http://127.0.0.1:${port}/${fragment}`);
  return { tab, complaints, elsewhere };
}

/** Waits until an element has this text. */
async function shows(tab: Tab, selector: string, text: string): Promise<void> {
  await tab.waitForFunction(
    `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${
      JSON.stringify(text)
    })`,
    { timeout: 20_000 },
  );
}

function evaluate<T>(tab: Tab, code: string): Promise<T> {
  return tab.evaluate(code) as Promise<T>;
}

browserTest("the page shows the tunnel as it is and what becomes of it", async (browser) => {
  using dashboard = serveDashboard(invented(0), page);
  for (let second = 0; second < 30; second++) {
    dashboard.status = invented(second);
    dashboard.tick();
  }
  const { tab, complaints, elsewhere } = await open(browser, dashboard);
  await shows(tab, "#state", "up");
  await shows(tab, "#rows", "campsite");
  assertEquals(tab.url(), `http://127.0.0.1:${dashboard.port}/`, "the token has left the address");
  assertEquals(await evaluate(tab, "document.querySelectorAll('#charts canvas').length"), 4);
  assertEquals(await evaluate(tab, "document.querySelectorAll('#rows button').length"), 0);
  dashboard.status = invented(500);
  dashboard.tick();
  await shows(tab, "#rows", "nothing heard for 512 ms");
  await shows(tab, "#up", "2 of 3");
  dashboard.events.publish({ type: "changed", message: "Something was changed" });
  await shows(tab, "#events li", "Something was changed");
  await tab.reload();
  await shows(tab, "#rows", "campsite");
  assertEquals([complaints, elsewhere], [[], []]);
});

browserTest("names from other hosts are text in the page, and do nothing", async (browser) => {
  const evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
  const links = [{ ...LINK, name: evil, reason: evil }, { ...LINK, id: 1, name: "</script>" }];
  const peer = { ...PEER, name: evil, links };
  using dashboard = serveDashboard(statusOf([peer, { ...PEER, name: "b" }], "server"), page);
  const { tab, complaints } = await open(browser, dashboard);
  await shows(tab, "#rows", evil);
  await shows(tab, "#peers", evil);
  await shows(tab, "#charts .u-legend", evil);
  dashboard.events.publish(linkEvent({ peer: evil, link: evil, state: "down", reason: evil }));
  await shows(tab, "#events", `link ${evil}`);
  await tab.click("#numbers summary");
  await shows(tab, "#numbers", evil);
  assertEquals(await evaluate(tab, "window.hit"), undefined);
  assertEquals(await evaluate(tab, "document.querySelectorAll('#shown img').length"), 0);
  await tab.click("#peers tr:nth-child(2) button");
  await shows(tab, "#rows", "dsl");
  const chosen = "document.querySelector('#peers [aria-pressed=true]').textContent";
  assertEquals(await evaluate(tab, chosen), "b");
  assertEquals(complaints, []);
});

browserTest("the page asks for a token when it has none or another", async (browser) => {
  using dashboard = serveDashboard(statusOf(), page);
  const without = await open(browser, dashboard, { fragment: "" });
  await shows(without.tab, "#state", "no token");
  assertEquals(await evaluate(without.tab, "document.querySelector('#shown').hidden"), true);
  const wrong = await open(browser, dashboard, { fragment: "#another-token-than-the-right-one" });
  await shows(wrong.tab, "#notice", "The token is another");
  await wrong.tab.type("#token", TOKEN);
  await wrong.tab.keyboard.press("Enter");
  await shows(wrong.tab, "#rows", "dsl");
});

browserTest("links are switched by the keyboard, and the answer is shown", async (browser) => {
  const asked: string[] = [];
  using dashboard = serveDashboard(statusOf(), page, (link, to) => {
    asked.push(`${link} ${to}`);
    if (to === "on") throw new AggvpnError("It is broken", { hint: "Mend it" });
    dashboard.status = statusOf([{ ...PEER, links: [{ ...LINK, state: "down", off: true }] }]);
    dashboard.tick();
    return Promise.resolve(`Link ${link} is off`);
  });
  const { tab } = await open(browser, dashboard);
  await shows(tab, "#rows", "Switch off");
  await tab.focus("#rows button");
  await tab.keyboard.press("Enter");
  await shows(tab, "#done", "Link dsl is off");
  await shows(tab, "#rows", "Switch on");
  assert(await evaluate(tab, "document.activeElement.matches('#rows button')"), "the focus stays");
  await tab.keyboard.press("Space");
  await shows(tab, "#done", "It is broken. Mend it");
  assertEquals(asked, ["dsl off", "dsl on"]);
});

browserTest("the page fits a phone, and is readable in light and dark", async (browser) => {
  const { peers } = invented(500).tunnel;
  const others = ["van", "x".repeat(32)].map((name) => ({ ...peers[0]!, name }));
  using dashboard = serveDashboard(statusOf([...peers, ...others], "server"), page);
  for (const scheme of ["light", "dark"]) {
    for (const width of [320, 360, 800, 1400]) {
      const { tab } = await open(browser, dashboard, { width, scheme });
      await shows(tab, "#rows", "campsite");
      const room = await evaluate(tab, "document.documentElement.scrollWidth");
      assert(room as number <= width, `${room} px on ${width}`);
      for (const [text, contrast] of await contrasts(tab)) {
        assert(contrast >= 4.5, `${scheme}, ${width} px: "${text}" has a contrast of ${contrast}`);
      }
      await tab.close();
    }
  }
});

/** Contrast (WCAG 2.2) of each text of the page with what is behind it. */
function contrasts(tab: Tab): Promise<[string, number][]> {
  return evaluate(
    tab,
    `(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const backOf = (node) => {
      for (; node; node = node.parentElement) {
        const color = channels(getComputedStyle(node).backgroundColor);
        if (color.length === 3) return color;
      }
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
      const node = texts.currentNode.parentElement;
      const text = texts.currentNode.data.trim();
      if (text === "" || !node.checkVisibility() || node.matches("script, option, .skip")) continue;
      const [a, b] = [channels(getComputedStyle(node).color), backOf(node)].map(luminance);
      found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
    }
    return found;
  })()`,
  );
}

browserTest(
  "the page is told apart by ear: names, roles and the charts as a table",
  async (browser) => {
    using dashboard = serveDashboard(invented(0), page);
    for (let second = 0; second < 100; second++) {
      dashboard.status = invented(second);
      dashboard.tick();
    }
    const { tab } = await open(browser, dashboard, { width: 360 });
    await shows(tab, "#rows", "campsite");
    const heard = namesIn(await tab.accessibility.snapshot({ interestingOnly: false }));
    for (
      const name of [
        "rowheader lte",
        "columnheader Round trip",
        "meter Quota used of lte",
        "region Events",
        "log ",
        "image Chart: Round-trip time. Now: dsl 21.2 ms, lte 51.4 ms, campsite 38 ms",
      ]
    ) assert(heard.includes(name), name);
    await tab.focus("#numbers summary");
    await tab.keyboard.press("Enter");
    await shows(tab, "#numbers caption", "Means of half a minute");
    assertEquals(await evaluate(tab, "document.querySelectorAll('#numbers tbody tr').length"), 4);
    await tab.focus("#spans button");
    const outline = await evaluate(tab, "getComputedStyle(document.activeElement).outlineStyle");
    assertEquals(outline, "solid");
  },
);

/** Role and name of each node that assistive technology sees. */
function namesIn(node: SerializedAXNode | null): string[] {
  if (node === null) return [];
  return [`${node.role} ${node.name ?? ""}`, ...(node.children ?? []).flatMap(namesIn)];
}

browserTest("the page goes on when the tunnel is there again", async (browser) => {
  const before = serveDashboard(invented(0), page);
  const { tab } = await open(browser, before);
  await shows(tab, "#rows", "campsite");
  before[Symbol.dispose]();
  await shows(tab, "#notice", "No answer from the tunnel");
  await shows(tab, "#state", "no answer");
  using _after = serveDashboard(invented(1), page, undefined, undefined, before.port);
  await shows(tab, "#state", "up");
  assertEquals(await evaluate(tab, "document.querySelector('#notice').hidden"), true);
});
