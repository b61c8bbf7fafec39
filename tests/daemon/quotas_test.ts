import { assert, assertEquals, assertRejects } from "@std/assert";
import { type QuotaLink, Quotas } from "../../src/daemon/quotas.ts";
import type { StateFile, StateRead } from "../../src/daemon/state_file.ts";
import { AggvpnError } from "../../src/errors.ts";
import type { EndpointStatus } from "../../src/tunnel/options.ts";
import { logged } from "../logged.ts";

const SECOND = 1_000_000;
const GB = 1e9;
const PATH = "/var/lib/aggvpn/home.quota.json";
const LTE: QuotaLink = {
  id: 1,
  name: "lte",
  quotaBytes: 50 * GB,
  day: 1,
  whenUsedUp: "last",
};

/** A file in memory. */
class FakeFile implements StateFile {
  readonly path = PATH;
  writes = 0;
  broken = false;
  constructor(public content: StateRead = {}) {}

  read(): StateRead {
    return this.content;
  }

  write(text: string): Promise<void> {
    this.writes++;
    if (this.broken) return Promise.reject(new Error("Read-only file system"));
    this.content = { text };
    return Promise.resolve();
  }
}

/** A tunnel that carries what it is told to, under two clocks. */
class Host {
  now = 0;
  wall = "2026-11-23T12:00:00";
  readonly carried = [0, 0, 0];
  readonly tiers: string[] = [];
  readonly events: string[] = [];
  readonly lines: string[] = [];
  readonly quotas: Quotas;

  constructor(readonly file = new FakeFile(), links: readonly QuotaLink[] = [LTE]) {
    this.quotas = new Quotas({
      links,
      carrier: {
        carriedBytes: (link) => this.carried[link]!,
        setLinkTier: (_now, link, tier, reason) => {
          this.tiers.push(`${link} ${tier ?? "as configured"}: ${reason ?? ""}`);
        },
        setLinkOff: (_now, link, reason) => {
          this.tiers.push(`${link} ${reason === undefined ? "on" : "off"}: ${reason ?? ""}`);
        },
      },
      clock: () => this.now,
      wallMs: () => new Date(this.wall).getTime(), // without a zone: local time
      file,
      onEvent: ({ link, percent, reason }) => this.events.push(`${link} ${percent}: ${reason}`),
    });
    this.quotas.handleTimeout();
  }

  /** A second passes in which the LTE link carries `bytes`. */
  async carry(bytes: number, wall = this.wall): Promise<void> {
    this.now += SECOND;
    this.wall = wall;
    this.carried[1]! += bytes;
    this.quotas.handleTimeout();
    await Promise.resolve(); // of the write
  }

  used(): number | undefined {
    return this.links()[1]!.quotaUsedBytes;
  }

  links(): EndpointStatus["peers"][number]["links"] {
    const links = ["dsl", "lte", "sat"].map((name, id) => ({ name, id }));
    const status = { role: "client", peers: [{ name: "server", links }] };
    return this.quotas.describe(status as unknown as EndpointStatus).peers[0]!.links;
  }
}

Deno.test("Quotas makes a link the last of all when its quota is used up, until the month ends", async () => {
  const host = new Host();
  await host.carry(49.9 * GB);
  assertEquals(host.tiers, []);
  await host.carry(0.1 * GB);
  assertEquals(host.tiers, ["1 last: quota of 50 GB is used up: last of all until 1 December"]);
  await host.carry(GB);
  await host.carry(0, "2026-11-30T23:59:59");
  assertEquals(host.tiers.length, 1);
  assertEquals(host.used(), 51 * GB);
  await host.carry(0, "2026-12-01T00:00:00");
  assertEquals(host.tiers.slice(1), ["1 as configured: "]);
  assertEquals(host.used(), 0);
  await host.carry(60 * GB, "2026-12-31T23:59:58");
  assertEquals(host.tiers.slice(2), [
    "1 last: quota of 50 GB is used up: last of all until 1 January",
  ]);
  await host.carry(0, "2027-01-01T00:00:00");
  assertEquals(host.tiers.slice(3), ["1 as configured: "]);
});

Deno.test("Quotas says so when a link uses up its quota within the first second of a month", async () => {
  const host = new Host();
  await host.carry(50 * GB);
  await host.carry(50 * GB, "2026-12-01T00:00:00");
  assertEquals(host.tiers.slice(1), [
    "1 last: quota of 50 GB is used up: last of all until 1 January",
  ]);
});

Deno.test("Quotas counts each link for itself, and those without a quota not at all", async () => {
  const host = new Host(new FakeFile(), [LTE, { ...LTE, id: 2, name: "sat", quotaBytes: GB }]);
  host.carried[0] = 999 * GB;
  host.carried[2] = GB;
  await host.carry(5);
  assertEquals(host.tiers, ["2 last: quota of 1 GB is used up: last of all until 1 December"]);
  const shown = host.links().map(({ quotaBytes, quotaUsedBytes }) => [quotaBytes, quotaUsedBytes]);
  assertEquals(shown, [[undefined, undefined], [50 * GB, 5], [GB, GB]]);
  assertEquals(JSON.parse(host.file.content.text!).months, { "2026-11": { lte: 5, sat: GB } });
});

Deno.test("Quotas goes on where it was before a restart", async () => {
  const first = new Host();
  await first.carry(30 * GB);
  await first.quotas.close();
  const second = new Host(first.file);
  assertEquals(second.used(), 30 * GB);
  await second.carry(20 * GB);
  assertEquals(second.tiers.length, 1);
  await second.quotas.close();
  const third = new Host(first.file);
  assertEquals(third.tiers.length, 1, "before anything is sent");
});

Deno.test("Quotas writes once a minute what is little, and much within 5 s; and at the end", async () => {
  const host = new Host();
  assertEquals(host.file.writes, 0);
  for (let i = 0; i < 180; i++) await host.carry(1);
  assertEquals(host.file.writes, 3);
  for (let i = 0; i < 180; i++) await host.carry(0);
  assertEquals(host.file.writes, 4, "what was carried last");
  for (let i = 0; i < 60; i++) await host.carry(6e6); // 48 Mbit/s
  assertEquals(host.file.writes, 4 + 12);
  const saved = JSON.parse(host.file.content.text!).months["2026-11"].lte;
  assert(host.used()! - saved <= 5 * 6e6, "what a power cut forgets");
  await host.quotas.close();
  const { writes } = host.file;
  await host.quotas.close();
  assertEquals(host.file.writes, writes);
  await host.carry(7);
  await host.quotas.close();
  assertEquals(JSON.parse(host.file.content.text!).months, { "2026-11": { lte: 187 + 360e6 } });
});

Deno.test("Quotas of a host whose clock is set back finds the count of that month again", async () => {
  const host = new Host();
  await host.carry(50 * GB);
  await host.carry(GB, "2026-12-01T00:00:10"); // too fast by minutes
  assertEquals(host.tiers.at(-1), "1 as configured: ");
  await host.carry(GB, "2026-11-30T23:58:00");
  assertEquals(
    host.tiers.at(-1),
    "1 last: quota of 50 GB is used up: last of all until 1 December",
  );
  assertEquals(host.used(), 51 * GB);
  await host.carry(GB, "2026-12-01T00:00:00");
  assertEquals(host.used(), 2 * GB);
});

Deno.test("Quotas of a host without a clock has the month back when the time is known", async () => {
  const before = new Host();
  await before.carry(50 * GB);
  await before.quotas.close();
  const host = new Host(Object.assign(before.file, { writes: 0 }));
  await host.carry(1, "1970-01-01T12:00:05");
  await host.carry(1, "2026-11-23T13:00:00");
  assertEquals(host.used(), 50 * GB + 1);
  assertEquals(host.events.map((event) => event.slice(0, 7)), ["lte 100", "lte 0: ", "lte 100"]);
});

Deno.test("Quotas begins at zero, with one warning, when its file cannot be trusted", async () => {
  const cases: readonly (readonly [StateRead, string])[] = [
    [{}, `info Quotas begin at zero: there is no ${PATH} yet`],
    [{ text: "{" }, "warning Quotas begin at zero: "],
    [{ text: '{"version":1,"months":{"2026-11":{"lte":-5}}}' }, "is damaged"],
    [{ problem: "belongs to another user" }, "belongs to another user"],
    [{ problem: "cannot be read: Permission denied" }, "cannot be read: Permission denied"],
    [
      { text: '{"version":1,"months":{"2026-12":{"lte":99000000000}}}' },
      "is the clock right?",
    ],
  ];
  for (const [content, words] of cases) {
    const lines = await logged(() => {
      const host = new Host(new FakeFile(content));
      assertEquals([host.used(), host.tiers], [0, []]);
    });
    assertEquals(lines.length, 1, lines.join("\n"));
    assert(lines[0]!.includes(words), lines[0]);
  }
});

Deno.test("Quotas warns once where it cannot write, goes on, and writes when it can again", async () => {
  const lines = await logged(async () => {
    const host = new Host();
    host.file.broken = true;
    for (let i = 0; i < 300; i++) await host.carry(1);
    assertEquals([host.file.writes, host.used()], [5, 300]);
    host.file.broken = false;
    for (let i = 0; i < 60; i++) await host.carry(0);
    assertEquals(JSON.parse(host.file.content.text!).months, { "2026-11": { lte: 300 } });
    host.file.broken = true;
    await host.carry(1);
    await host.quotas.close();
  });
  const warnings = lines.filter((line) => line.startsWith("warning"));
  assertEquals(warnings.length, 2, "one for each time that it became so");
  assertEquals(warnings[0]!.includes("Read-only file system"), true, warnings[0]);
});

Deno.test("Quotas tells once of 75, 95 and 100 %, and when a quota is whole again", async () => {
  const host = new Host();
  for (let i = 0; i < 5; i++) await host.carry(10 * GB - 1);
  for (let i = 0; i < 5; i++) await host.carry(1);
  for (let i = 0; i < 5; i++) await host.carry(0, "2026-12-01T00:00:00");
  assertEquals(host.events, [
    "lte 75: 75 % of its quota of 50 GB are used; the next one begins on 1 December",
    "lte 95: 95 % of its quota of 50 GB are used; the next one begins on 1 December",
    "lte 100: quota of 50 GB is used up: last of all until 1 December",
    "lte 0: it has a quota again",
  ]);
});

Deno.test("Quotas does not repeat a warning after a restart", async () => {
  const host = new Host();
  await host.carry(40 * GB);
  await host.quotas.close();
  assertEquals(host.events.length, 1);
  const second = new Host(host.file);
  await second.carry(GB);
  assertEquals(second.events, [], "a restart is no reason to repeat a warning");
});

Deno.test("Quotas begins months on the day of the bill", async () => {
  const host = new Host(new FakeFile(), [{ ...LTE, day: 15 }]);
  await host.carry(50 * GB);
  assertEquals(host.tiers, ["1 last: quota of 50 GB is used up: last of all until 15 December"]);
  assertEquals(host.links()[1]!.quotaEnds, "2026-12-15");
  await host.carry(0, "2026-12-14T23:59:59");
  assertEquals(host.tiers.length, 1);
  await host.carry(1, "2026-12-15T00:00:00");
  assertEquals(host.tiers.slice(1), ["1 as configured: "]);
  assertEquals(host.used(), 1);
});

Deno.test("Quotas turns a link off when that is wanted", async () => {
  const host = new Host(new FakeFile(), [{ ...LTE, whenUsedUp: "off" }]);
  await host.carry(50 * GB);
  await host.carry(0, "2026-12-01T00:00:00");
  assertEquals(host.tiers, ["1 off: quota of 50 GB is used up: off until 1 December", "1 on: "]);
});

Deno.test("Quotas.set() corrects the count, acts on it, and saves it at once", async () => {
  const host = new Host();
  await host.carry(GB);
  assertEquals(await host.quotas.set("lte", 50 * GB), {
    link: "lte",
    usedBytes: 50 * GB,
    quotaBytes: 50 * GB,
    ends: "2026-12-01",
    whenUsedUp: "last",
  });
  assertEquals(host.tiers.length, 1);
  assertEquals(JSON.parse(host.file.content.text!).months, { "2026-11": { lte: 50 * GB } });
  await host.quotas.set("lte", 48 * GB);
  assertEquals(host.tiers.at(-1), "1 as configured: ");
  assertEquals(host.events.at(-1), "lte 0: it has a quota again");
  await host.carry(GB);
  assertEquals(host.used(), 49 * GB);
  await assertRejects(() => host.quotas.set("dsl", 0), AggvpnError, 'Link "dsl" has no quota');
});
