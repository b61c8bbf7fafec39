import { assertEquals, assertMatch } from "@std/assert";
import { isJournal } from "../../src/cli/log.ts";
import { allOf, missingTool, skippedFor } from "../host_tools.ts";
import { NOT_LINUX } from "../platform/linux/requirements.ts";
import { UnixReceiver } from "../platform/linux/unix_receiver.ts";

const PROGRAM = new URL("./log_program.ts", import.meta.url).pathname;

/** Runs the program that logs, after `prepare`, a few lines of shell. */
async function logTo(format: string, prepare = ""): Promise<string> {
  const script = `${prepare}\nexec "$@"`;
  const args = ["-c", script, "sh", Deno.execPath(), "run", "-A", "--quiet", PROGRAM, format];
  const { success, stderr } = await new Deno.Command("sh", { args }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(success, true, text);
  return text;
}

Deno.test("startLog writes text with times to standard error", async () => {
  assertMatch(
    await logTo("text"),
    /^20\S+Z info: tunnel: Link dsl is up\n20\S+Z warning: tunnel: Link dsl is down: a\\nb\n$/,
  );
});

Deno.test("startLog writes an object a line to standard error", async () => {
  const lines = (await logTo("json")).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level, message }) => [level, message]), [
    ["info", "Link dsl is up"],
    ["warning", "Link dsl is down: a\\nb"],
  ]);
});

/** The journal is the file that standard error is, and says so. */
const IS_JOURNAL = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)";

Deno.test({
  ...skippedFor(
    NOT_LINUX || exists("/run/systemd/journal/socket") ? "needs Linux without journald" : undefined,
    "startLog writes priorities for a journal that takes no entries",
  ),
  fn: async () => {
    assertEquals(
      await logTo("text", IS_JOURNAL),
      "<6>info: tunnel: Link dsl is up\n<4>warning: tunnel: Link dsl is down: a\\nb\n",
    );
  },
});

Deno.test({
  ...skippedFor(
    allOf(NOT_LINUX || Deno.uid() !== 0 ? "not root on Linux" : undefined, missingTool("unshare")),
    "startLog sends entries with fields to the journal",
  ),
  fn: async () => {
    const directory = Deno.makeTempDirSync();
    using journal = new UnixReceiver(`${directory}/socket`);
    try {
      const script = `${IS_JOURNAL}
        mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal &&
        mount --bind ${directory} /run/systemd/journal || exit 1`;
      const stderr = await logTo("text", `exec unshare -m sh -c '${script}; exec "$@"' sh "$@"`);
      assertEquals(stderr, "");
      assertEquals(journal.takeAll(), [
        "MESSAGE=tunnel: Link dsl is up\nPRIORITY=6\nSYSLOG_IDENTIFIER=aggvpn\n" +
        "AGGVPN_CATEGORY=tunnel\nAGGVPN_LEVEL=info\nAGGVPN_LINK=dsl\n",
        "MESSAGE=tunnel: Link dsl is down: a\\nb\nPRIORITY=4\nSYSLOG_IDENTIFIER=aggvpn\n" +
        "AGGVPN_CATEGORY=tunnel\nAGGVPN_LEVEL=warning\nAGGVPN_LINK=dsl\nAGGVPN_REASON=a\\nb\n",
      ]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test({
  ...skippedFor(
    NOT_LINUX || exists("/dev/log") ? "needs Linux without syslogd" : undefined,
    "startLog writes text to standard error while no syslogd takes messages",
  ),
  fn: async () => {
    assertMatch(await logTo("syslog"), /^20\S+Z info: tunnel: Link dsl is up\n.*\n$/);
  },
});

Deno.test({
  name: "isJournal compares the file with JOURNAL_STREAM",
  ignore: NOT_LINUX,
  fn(): void {
    const file = Deno.makeTempFileSync();
    try {
      const { dev, ino } = Deno.statSync(file);
      assertEquals(isJournal(file, `${dev}:${ino}`), true);
      for (const other of [undefined, "", `${dev}:${ino! + 1}`, `${dev}`, "x"]) {
        assertEquals(isJournal(file, other), false);
      }
      assertEquals(isJournal(`${file}.none`, `${dev}:${ino}`), false);
    } finally {
      Deno.removeSync(file);
    }
  },
});

function exists(path: string): boolean {
  try {
    return Boolean(Deno.statSync(path));
  } catch {
    return false;
  }
}
