import { assertEquals, assertMatch } from "@std/assert";
import type { LogRecord } from "@logtape/logtape";
import fc from "fast-check";
import {
  formatJournal,
  formatJson,
  formatPrefixed,
  formatSyslog,
  formatText,
} from "../../src/cli/log_formats.ts";

function record(template: string, properties: Record<string, unknown>): LogRecord {
  const message: unknown[] = [];
  for (const [i, part] of template.split(/\{(\w+)\}/).entries()) {
    message.push(i % 2 === 0 ? part : properties[part]);
  }
  return {
    category: ["aggvpn", "tunnel"],
    level: "info",
    message,
    rawMessage: template,
    timestamp: Date.UTC(2026, 10, 23, 3, 50, 0, 7),
    properties,
  };
}

Deno.test("formatText writes time, level, place, message and the fields not in it", () => {
  const line = record("Link {link} is {state}", {
    link: "dsl",
    state: "up",
    rttUs: 9840,
    ok: true,
  });
  assertEquals(
    formatText(line, true),
    "2026-11-23T03:50:00.007Z info: tunnel: Link dsl is up rttUs=9840 ok=true\n",
  );
  assertEquals(formatText(line, false), "info: tunnel: Link dsl is up rttUs=9840 ok=true\n");
});

Deno.test("formatText keeps a record on one line and escapes all control characters", () => {
  assertEquals(
    formatText(record("From {remote}", { remote: "a\nb\x1b[2J\r\u2028" }), false),
    "info: tunnel: From a\\nb\\x1b[2J\\x0d\\x2028\n",
  );
});

Deno.test("formatText never shows secrets or bytes", () => {
  const fields = { password: "hunter2", psk: "x", macKey: "y", bytes: new Uint8Array(3) };
  assertEquals(
    formatText(record("Start", fields), false),
    "info: tunnel: Start password=[hidden] psk=[hidden] macKey=[hidden] bytes=[3 bytes]\n",
  );
});

Deno.test("formatText writes errors by their message and big integers", () => {
  assertEquals(
    formatText(record("Failed", { error: new Error("no"), count: [1n], none: undefined }), false),
    'info: tunnel: Failed error=no count=["1"] none=undefined\n',
  );
});

Deno.test("formatJson writes an object with all fields, and no secret", () => {
  const line = record("Link {link} is {state}", {
    link: "ds\nl",
    state: "up",
    rttUs: 9840,
    ok: true,
    psk: "hunter2",
    error: new Error("no"),
  });
  const text = formatJson(line);
  assertEquals(text.split("\n").length, 2);
  assertEquals(JSON.parse(text), {
    time: "2026-11-23T03:50:00.007Z",
    level: "info",
    category: "tunnel",
    message: "Link ds\\nl is up",
    fields: {
      link: "ds\\nl",
      state: "up",
      rttUs: 9840,
      ok: true,
      psk: "[hidden]",
      error: "no",
    },
  });
});

Deno.test("formatJournal writes fields of journald's native protocol, and no secret", () => {
  const fields = { link: "dsl\nPRIORITY=0", rttUs: 9840, password: "hunter2", category: "x" };
  assertEquals(
    formatJournal(record("Link {link} is up", fields)),
    "MESSAGE=tunnel: Link dsl\\nPRIORITY=0 is up rttUs=9840 password=[hidden] category=x\n" +
      "PRIORITY=6\nSYSLOG_IDENTIFIER=aggvpn\nAGGVPN_CATEGORY=tunnel\nAGGVPN_LEVEL=info\n" +
      "AGGVPN_LINK=dsl\\nPRIORITY=0\nAGGVPN_RTT_US=9840\n",
  );
});

Deno.test("formatPrefixed writes the priority that sd-daemon(3) reads", () => {
  const line = { ...record("Disk full", {}), level: "error" } as const;
  assertEquals(formatPrefixed(line), "<3>error: tunnel: Disk full\n");
});

Deno.test("formatSyslog writes facility daemon, the local time where it is wanted, and the process", () => {
  const line = { ...record("Link {link} is up", { link: "dsl" }), level: "warning" } as const;
  assertEquals(formatSyslog(line, false), `<28>aggvpn[${Deno.pid}]: tunnel: Link dsl is up`);
  assertMatch(
    formatSyslog(line, true),
    /^<28>(Nov 2[234]) \d\d:50:00 aggvpn\[\d+\]: tunnel: Link dsl is up$/,
  );
});

Deno.test("formatSyslog cuts what no syslogd would take, between two characters", () => {
  const text = formatSyslog(record("{long}", { long: "ä".repeat(9000) }), false);
  const bytes = new TextEncoder().encode(text).length;
  assertEquals([bytes > 7990 && bytes <= 8000, text.endsWith("ä")], [true, true]);
});

Deno.test("every form of a record is one line without control characters, whatever is in it", () => {
  const forms = [
    (line: LogRecord) => formatText(line, true),
    formatJson,
    formatPrefixed,
    (line: LogRecord) => formatSyslog(line, true) + "\n",
  ];
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (name, value) => {
    const line = record("It is {value}", { value, [name]: value });
    // deno-lint-ignore no-control-regex
    for (const form of forms) assertMatch(form(line), /^[^\x00-\x1f\x7f]+\n$/);
    // deno-lint-ignore no-control-regex
    assertMatch(formatJournal(line), /^(?:[A-Z][A-Z0-9_]{0,63}=[^\x00-\x1f\x7f]*\n)+$/);
  }));
});
