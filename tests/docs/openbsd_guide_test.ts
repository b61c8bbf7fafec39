/**
 * docs/openbsd.md, as far as it can be tested on another system: configurations as `check` reads
 * them, files of netstart(8) and pf by the grammar of their manual pages, the rc.d script with the
 * process that it has to find.
 */

import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { Child, run } from "../../lab/process.ts";
import { MLVPN_KEYS } from "../../src/config/schema.ts";
import { networkPlan, tunnelMtu } from "../../src/daemon/plan.ts";
import { closedCommands } from "../../src/platform/openbsd/kept_interface.ts";
import { networkChanges } from "../../src/platform/openbsd/network.ts";
import { applyChanges, type CommandResult, undoWith } from "../../src/platform/run_changes.ts";
import { asScript } from "../../tools/build/script.ts";
import { missingTool, skippedFor } from "../host_tools.ts";
import { meaningOf, read } from "./configurations.ts";
import { blocksOf, blockTitled, codeOf, readDocument } from "./markdown.ts";
import { IMPOSSIBLE, messagePatterns } from "./messages.ts";

const GUIDE = readDocument("docs/openbsd.md");

Deno.test("the configurations of the OpenBSD guide are right, and those of the examples", () => {
  assertEquals(blocksOf(GUIDE, "toml").length, 2);
  for (const end of ["client", "server"]) {
    const text = blockTitled(GUIDE, `/etc/aggvpn/${end}.toml`);
    assertEquals(read(text).problems, []);
    assertEquals(meaningOf({ text }), meaningOf({ example: `openbsd/${end}.toml` }));
  }
});

/** Lines of a block without comments and blank ones. */
function linesOf(block: string): string[] {
  return block.split("\n").map((line) => line.replace(/\s*#.*/, "")).filter((line) => line !== "");
}

/** Lines of hostname.if(5) that the guide uses, as netstart(8) hands them to ifconfig(8). */
const HOSTNAME_IF =
  /^(?:rdomain \d+|inet autoconf|inet [\d.]+(?:\/\d+| [\d.]+)|description "[^"]*"|up|!\/sbin\/\w+ .*)$/;

Deno.test("the interface files of the OpenBSD guide keep to hostname.if(5), the domain first", () => {
  const files = blocksOf(GUIDE, "hostname.if");
  assertEquals(files.length, 6);
  for (const { text } of files) {
    const lines = linesOf(text);
    for (const line of lines) assertMatch(line, HOSTNAME_IF);
    assert(lines.findIndex((line) => line.startsWith("rdomain")) <= 0, text);
  }
});

Deno.test("the links of the OpenBSD guide are in the domains of its interfaces", () => {
  const client = blockTitled(GUIDE, "/etc/aggvpn/client.toml");
  const links = [...client.matchAll(/^rdomain = (\d+)$/gm)].map(([, domain]) => domain);
  const interfaces = ["em0", "em1"].map((name) =>
    /^rdomain (\d+)$/m.exec(blockTitled(GUIDE, `/etc/hostname.${name}`))?.[1]
  );
  assertEquals(links, interfaces);
  for (const domain of links) {
    assertMatch(
      blockTitled(GUIDE, `/etc/hostname.lo${domain}`),
      new RegExp(`^rdomain ${domain}$`, "m"),
    );
  }
});

const WORD = String.raw`(?:\(?[\w.:/]+\)?)`;
const LIST = String.raw`(?:${WORD}|\{ ${WORD}(?: ${WORD})* \})`;
/** What the guide uses of the grammar at the end of pf.conf(5), in its order. */
const PF_RULE = new RegExp(
  String
    .raw`^(?:set skip on lo|set state-policy if-bound|anchor "aggvpn/\*"|block return|(?:pass|match)(?: in| out)?` +
    String.raw`(?: on ${LIST})?(?: inet6?)?(?: proto ${LIST})?(?: from ${LIST})?` +
    String.raw`(?: to ${LIST})?(?: port ${LIST})?(?: nat-to ${WORD})?)$`,
);

Deno.test("the rules of the OpenBSD guide keep to pf.conf(5), the anchor before any rule that decides", () => {
  const files = blocksOf(GUIDE, "pf");
  assertEquals(files.length, 2);
  for (const { text } of files) {
    const rules = linesOf(text);
    for (const rule of rules) assertMatch(rule, PF_RULE);
    const decision = rules.findIndex((rule) => /^(?:block|pass)/.test(rule));
    assert(rules.slice(0, decision).includes('anchor "aggvpn/*"'), text);
  }
});

Deno.test("the ports that pf lets in are those of the server's configuration", () => {
  const server = blockTitled(GUIDE, "/etc/aggvpn/server.toml");
  const listen = [...server.matchAll(/"192\.0\.2\.1:(\d+)"/g)].map(([, port]) => port);
  assertEquals(listen.length, 2);
  const rules = blockTitled(GUIDE, "/etc/pf.conf of the server");
  assert(rules.includes(`proto udp to (egress) port { ${listen.join(" ")} }`));
});

Deno.test("the OpenBSD guide has a place for every key of mlvpn.conf", () => {
  const rows = GUIDE.slice(GUIDE.indexOf("| mlvpn.conf")).split("\n");
  const missing = Object.entries(MLVPN_KEYS).filter(([old, key]) =>
    !rows.some((row) => {
      const [from = "", to = ""] = row.split("|").slice(1).map((cell) => codeOf(cell).join("\n"));
      return from.split("\n").includes(old) && new RegExp(String.raw`\b${key}\b`).test(to);
    })
  );
  assertEquals(missing, []);
});

Deno.test("the commands that the OpenBSD guide shows are those of its client and its tun0", () => {
  const config = read(blockTitled(GUIDE, "/etc/aggvpn/client.toml")).config!;
  const flags = linesOf(blockTitled(GUIDE, "/etc/hostname.tun0"));
  const kept = { name: "tun0", isUp: flags.includes("up"), rdomain: 0, mtu: 1500, addresses: [] };
  const plan = { ...networkPlan(config, "tun0", tunnelMtu(config, [4, 4]), [4, 4]), kept };
  const state = { forwarding: { ipv4: "1", ipv6: "0" }, pfEnabled: true, hasAnchor: true };
  const shown: string[] = [];
  const report = (line: string, kind: string): void => {
    if (!line.includes("pfctl")) shown.push(`${kind === "undo" ? "-" : "+"} ${line}`);
  };
  const done = (): CommandResult => ({ success: true, message: "" });
  applyChanges(networkChanges(plan, state), report, done)();
  undoWith(closedCommands(kept), report, done);
  const [block] = blocksOf(GUIDE, "text").filter(({ text }) => text.startsWith("+ "));
  assertEquals(block!.text.trimEnd().split("\n"), shown);
});

/** Where the messages of `check` are. */
const SOURCES = ["inspect.ts", "socket_setup.ts", "duplicates.ts"].map((name) =>
  `src/platform/openbsd/${name}`
);
const hasSources = exists(SOURCES[0]!);

Deno.test({
  name: `the OpenBSD guide explains every message of check${
    hasSources ? "" : " (skipped: no src/platform/openbsd)"
  }`,
  ignore: !hasSources,
  fn(): void {
    const patterns = messagePatterns([
      ...SOURCES,
      "src/platform/call_way.ts",
      "src/platform/first_calls.ts",
      "src/platform/open_files.ts",
      "src/cli/host_check.ts",
    ]);
    assertGreater(patterns.length, 10);
    const explained = [...codeOf(GUIDE), ...IMPOSSIBLE];
    const missing = patterns.filter((pattern) => !explained.some((code) => pattern.test(code)));
    assertEquals(missing, []);
  },
});

function exists(path: string): boolean {
  try {
    return readDocument(path) !== "";
  } catch {
    return false;
  }
}

/** What rc.subr(8) does with a script, as far as it matters: it passes on the flags and acts. */
const RC_SUBR = `
daemon_flags=\${set_flags:-$daemon_flags}
pexp="\${daemon}\${daemon_flags:+ \${daemon_flags}}"
rc_cmd() {
  printf '%s\\n' "$pexp" "$daemon_flags" "$daemon_logger" "$rc_bg"
  case "$1" in configtest) rc_configtest;; reload) rc_reload;; esac
}
`;

const NO_KSH = missingTool("mksh");

Deno.test({
  ...skippedFor(NO_KSH, "the script of rc.d finds the process that it starts"),
  async fn(): Promise<void> {
    const directory = await Deno.makeTempDir();
    try {
      const daemon = `${directory}/aggvpn`;
      const said = await runScript(directory, "start", { daemon });
      const [pexp, flags, logger, background] = said;
      assertEquals([logger, background], ["daemon.info", "YES"]);
      assertEquals(flags, "up /etc/aggvpn/client.toml");

      const program = "console.log('ready'); setTimeout(() => {}, 60_000);\n";
      const text = await asScript({ name: "aggvpn", version: "1.2.3", program });
      await Deno.writeTextFile(daemon, text, { mode: 0o755 });
      const path = `${Deno.execPath().replace(/\/[^/]+$/, "")}:${Deno.env.get("PATH")}`;
      const child = new Child(["env", `PATH=${path}`, daemon, ...flags!.split(" ")]);
      assertEquals(await child.line(), "ready");
      const shown = (await Deno.readTextFile(`/proc/${child.pid}/cmdline`)).split("\0").join(" ");
      await child.stop();
      // pgrep -xf: the expression has to match all of it.
      assertMatch(shown.trimEnd(), new RegExp(`^(?:${pexp})$`));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  ...skippedFor(NO_KSH, "the script of rc.d checks and reloads the file that its flags name"),
  async fn(): Promise<void> {
    const directory = await Deno.makeTempDir();
    try {
      const daemon = `${directory}/aggvpn`;
      await Deno.writeTextFile(daemon, '#!/bin/sh\necho "called: $*"\n', { mode: 0o755 });
      const flags = "up -v /etc/aggvpn/server.toml";
      for (const [action, command] of [["configtest", "check"], ["reload", "reload"]] as const) {
        const said = await runScript(directory, action, { daemon, flags });
        assertEquals(said.at(-1), `called: ${command} /etc/aggvpn/server.toml`);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

/** Runs the script with another daemon and the test's own framework; returns its lines. */
async function runScript(
  directory: string,
  action: string,
  { daemon, flags = "" }: { readonly daemon: string; readonly flags?: string },
): Promise<string[]> {
  const script = readDocument("examples/openbsd/rc.d/aggvpn")
    .replace("/usr/local/bin/aggvpn", daemon)
    .replace("/etc/rc.d/rc.subr", `${directory}/rc.subr`);
  await Deno.writeTextFile(`${directory}/script`, script);
  await Deno.writeTextFile(`${directory}/rc.subr`, RC_SUBR);
  const command = ["env", `set_flags=${flags}`, "mksh", `${directory}/script`, action];
  return (await run(command)).trimEnd().split("\n");
}
