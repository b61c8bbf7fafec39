import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import {
  addLink,
  changeLink,
  changeLog,
  limitLink,
  removeLink,
} from "../../src/daemon/commands.ts";
import { EventHub } from "../../src/daemon/event_hub.ts";
import { differenceOf } from "../../src/daemon/difference.ts";
import type { Applied } from "../../src/daemon/reconfigure.ts";
import { type FileReading, RunningConfig } from "../../src/daemon/running_config.ts";
import { AggvpnError } from "../../src/errors.ts";
import { runningConfigText } from "../../src/cli/running_config_text.ts";
import { logged } from "../logged.ts";

const PASSWORD = "correct horse battery staple";
const TEXT = `
mode = "client"
server = "192.0.2.1:5080"
password = "${PASSWORD}"
[tunnel]
address = "10.44.43.2/30"
[link.dsl]
interface = "eth1"
[link.lte]
interface = "wwan0"
tier = "backup"
`;

/** A tunnel that takes on whatever it is given, but for what needs a restart. */
class Subject {
  text: string;
  readonly events: EventHub = new EventHub();
  readonly told: string[] = [];
  readonly levels: string[] = [];
  socketNames: readonly string[] = ["dsl", "lte"];
  config: Config;
  readonly running: RunningConfig;

  constructor(text = TEXT) {
    this.text = text;
    const started = this.#read("");
    this.config = started.config!;
    this.events.subscribe((event) => {
      if (event.type === "changed") this.told.push(event.message);
    });
    this.running = new RunningConfig({
      tunnel: this,
      read: (more = "") => this.#read(more),
      setLogLevel: (level) => this.levels.push(level),
      wallMs: Date.now,
    }, started);
  }

  reconfigure(make: (current: Config) => Config): Promise<Applied> {
    const before = this.config;
    const next = make(before);
    const { words, restart } = differenceOf(before, next);
    if (restart.length > 0) return Promise.reject(new AggvpnError(`${restart} needs a restart`));
    this.config = next;
    return Promise.resolve({ words, before });
  }

  /** Options of a link of the configuration in force. */
  optionsOf(name: string): Record<string, unknown> {
    const links = this.config.mode === "client" ? this.config.links : [];
    return { ...links.find((link) => link.name === name)?.options };
  }

  get links(): string[] {
    return this.config.mode === "client" ? this.config.links.map(({ name }) => name) : [];
  }

  #read(more: string): FileReading {
    return parseConfig(this.text + more, { file: "home.toml" });
  }
}

/** Runs `use` with a subject whose timers are stopped at the end. */
function subjectTest(name: string, use: (subject: Subject) => Promise<void>): void {
  Deno.test(name, async () => {
    const subject = new Subject();
    try {
      await use(subject);
    } finally {
      subject.running.close();
    }
  });
}

subjectTest("changeLink() switches a link off and on again, as its file says", async (subject) => {
  const { running } = subject;
  const off = await changeLink(running, { name: "lte", state: "off" }, 0);
  assertEquals(off.words, ["Link lte is off, until a reload or restart"]);
  assertEquals(subject.optionsOf("lte").off, "switched off by aggvpn link");
  const on = await changeLink(running, { name: "lte", state: "on" }, 0);
  assertEquals(on.words, ["Link lte is on, as its file says"]);
  assertEquals(subject.optionsOf("lte").off, undefined);
  assertEquals((await changeLink(running, { name: "lte", state: "on" }, 0)).words, [
    "Link lte is on already",
  ]);
});

subjectTest("changeLink() ends by itself when its time is over", async (subject) => {
  const parameters = { name: "lte", state: "primary", forUs: 1e6 };
  const { words } = await changeLink(subject.running, parameters, Date.now());
  assertMatch(words[0]!, /^Link lte is of tier primary, until \d\d:\d\d$/);
  assertEquals(subject.optionsOf("lte").tier, "primary");
  const over = Promise.withResolvers<void>();
  subject.events.subscribe(() => over.resolve());
  await over.promise;
  assertEquals(subject.optionsOf("lte").tier, "backup");
  assertMatch(
    subject.told.join("\n"),
    /^link lte: primary, until \S+\nlink lte: primary, until \S+ is over$/,
  );
});

Deno.test("changeLink() excludes an interface that was found by itself while it is off", async () => {
  const subject = new Subject(
    TEXT.slice(0, TEXT.indexOf("[link.dsl]")).replace("[tunnel]", 'links = "auto"\n[tunnel]'),
  );
  subject.socketNames = ["wwan0"];
  const { running } = subject;
  const exclude = (): readonly string[] =>
    subject.config.mode === "client" ? subject.config.linksExclude! : [];
  await changeLink(running, { name: "wwan0", state: "off" }, 0);
  assertEquals(exclude().at(-1), "wwan0");
  subject.socketNames = [];
  await changeLink(running, { name: "wwan0", state: "on" }, 0);
  assertEquals(exclude().includes("wwan0"), false);
  subject.socketNames = ["wwan0"];
  const backup = (): Promise<unknown> => changeLink(running, { name: "wwan0", state: "backup" }, 0);
  await assertRejects(backup, AggvpnError, "only be off or on");
  const other = (): Promise<unknown> => changeLink(running, { name: "eth9", state: "off" }, 0);
  await assertRejects(other, AggvpnError, "no link");
  running.close();
});

subjectTest("a change replaces an older one of the same thing, and no other", async (subject) => {
  const { running } = subject;
  await changeLink(running, { name: "lte", state: "off" }, 0);
  await limitLink(running, { name: "lte", uploadBps: 5e6 });
  await changeLink(running, { name: "lte", state: "overflow" }, 0);
  assertEquals(running.changes.map(({ words }) => words), [
    "link lte: limited to 5 Mbit/s up",
    "link lte: overflow",
  ]);
  const { off, tier, uploadBps } = subject.optionsOf("lte");
  assertEquals([off, tier, uploadBps], [undefined, "overflow", 5e6]);
  await limitLink(running, { name: "lte" });
  assertEquals(subject.optionsOf("lte").uploadBps, undefined);
});

subjectTest("addLink() and removeLink() check what they are given", async (subject) => {
  const { running } = subject;
  await addLink(running, { name: "sat", toml: 'interface = "eth2"\nmetered = true' });
  assertEquals(subject.links, ["dsl", "lte", "sat"]);
  const add = (name: string, toml: string) => () => addLink(running, { name, toml });
  await assertRejects(add("sat", 'interface = "eth3"'), AggvpnError, "There is a link sat already");
  await assertRejects(add("more", "interfaces = 1"), AggvpnError, "unknown key");
  await assertRejects(add("more", "= ]"), AggvpnError);
  assertEquals((await removeLink(running, { name: "sat" })).words, ["Link sat was removed"]);
  await removeLink(running, { name: "lte" });
  assertEquals(subject.links, ["dsl"]);
  await assertRejects(() => removeLink(running, { name: "dsl" }), AggvpnError, "the only one");
  await assertRejects(() => removeLink(running, { name: "dls" }), AggvpnError, "no link");
});

const WRONG: readonly (readonly [string, (running: RunningConfig) => Promise<unknown>])[] = [
  ["no link", (running) => changeLink(running, { name: "let", state: "off" }, 0)],
  ["no link", (running) => changeLink(running, { state: "off" }, 0)],
  ["cannot be", (running) => changeLink(running, { name: "lte", state: "best" }, 0)],
  ["A time is", (running) => changeLink(running, { name: "lte", state: "off", forUs: -1 }, 0)],
  ["A time is", (running) => changeLink(running, { name: "lte", state: "off", forUs: "2h" }, 0)],
  ["A limit is", (running) => limitLink(running, { name: "lte", uploadBps: 12 })],
  ["A limit is", (running) => limitLink(running, { name: "lte", downloadBps: {} })],
  ["log level", (running) => changeLog(running, { level: "loud" })],
];

subjectTest("requests with anything else are refused, and change nothing", async (subject) => {
  for (const [message, request] of WRONG) {
    await assertRejects(() => request(subject.running), AggvpnError, message);
  }
  assertEquals([subject.running.changes, subject.told], [[], []]);
});

subjectTest(
  "RunningConfig.reload() applies the file and forgets what commands changed",
  async (subject) => {
    const { running } = subject;
    await changeLink(running, { name: "lte", state: "off", forUs: 3600e6 }, Date.now());
    await changeLog(running, { level: "debug" });
    assertEquals(subject.levels, ["debug"]);
    subject.text = TEXT.replace('tier = "backup"', 'tier = "overflow"');
    const done = await running.reload("a test");
    assertEquals("words" in done && [done.words, done.forgotten.length], [
      ["link lte: tier, off", "log_level"].toSorted(),
      2,
    ]);
    assertEquals(subject.levels, ["debug", "info"]);
    assertEquals([subject.optionsOf("lte").tier, subject.optionsOf("lte").off], [
      "overflow",
      undefined,
    ]);
  },
);

subjectTest(
  "RunningConfig.reload() of a wrong file changes nothing, and the log says why",
  async (subject) => {
    await changeLink(subject.running, { name: "lte", state: "off" }, 0);
    subject.text = TEXT.replace('"backup"', '"best"');
    const before = subject.config;
    const lines = await logged(async () => {
      const refused = await subject.running.reload("a test");
      assertEquals("problems" in refused && refused.problems.length, 1);
    });
    assertMatch(lines.join("\n"), /Not reloaded.*tier/);
    assertEquals(subject.config, before);
    assertEquals(subject.running.changes.length, 1);
    subject.text = TEXT.replace("10.44.43.2/30", "10.44.43.6/30");
    await logged(() =>
      assertRejects(() => subject.running.reload("a test"), AggvpnError).then(() => {})
    );
    assertEquals(subject.running.changes.length, 1);
  },
);

subjectTest(
  "runningConfigText() writes what is in force, which can be read again, without secrets",
  async (subject) => {
    const { running } = subject;
    await changeLink(running, { name: "dsl", state: "overflow" }, 0);
    await limitLink(running, { name: "dsl", uploadBps: 2.5e6, downloadBps: 20e6 });
    await addLink(running, { name: "sat", toml: 'interface = "eth2"' });
    await changeLog(running, { level: "trace" });
    const changes = running.changes.map(({ words }) => words);
    const text = runningConfigText({ file: "home.toml", document: running.document, changes });
    assertEquals(text.includes(PASSWORD), false);
    const again = text.replace("# password = (as in home.toml)", `password = "${PASSWORD}"`);
    const { config } = parseConfig(again, { file: "home.toml" });
    assertEquals(differenceOf(subject.config, config!).words, []);
    assertStringIncludes(text, "# changed by a command: link sat added\n");
  },
);
