import { assertEquals } from "@std/assert";
import type { LogRecord } from "@logtape/logtape";
import { formatRecord } from "../../src/cli/log.ts";

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

Deno.test("formatRecord writes time, level, place, message and the fields not in it", () => {
  const line = record("Link {link} is {state}", {
    link: "dsl",
    state: "up",
    rttUs: 9840,
    ok: true,
  });
  assertEquals(
    formatRecord(line, true),
    "2026-11-23T03:50:00.007Z info: tunnel: Link dsl is up rttUs=9840 ok=true\n",
  );
  assertEquals(formatRecord(line, false), "info: tunnel: Link dsl is up rttUs=9840 ok=true\n");
});

Deno.test("formatRecord keeps a record on one line and escapes all control characters", () => {
  assertEquals(
    formatRecord(record("From {remote}", { remote: "a\nb\x1b[2J\r\u2028" }), false),
    "info: tunnel: From a\\nb\\x1b[2J\\x0d\\x2028\n",
  );
});

Deno.test("formatRecord never shows secrets or bytes", () => {
  const fields = { password: "hunter2", psk: "x", macKey: "y", bytes: new Uint8Array(3) };
  assertEquals(
    formatRecord(record("Start", fields), false),
    "info: tunnel: Start password=[hidden] psk=[hidden] macKey=[hidden] bytes=[3 bytes]\n",
  );
});

Deno.test("formatRecord writes errors by their message and big integers", () => {
  assertEquals(
    formatRecord(record("Failed", { error: new Error("no"), count: [1n], none: undefined }), false),
    'info: tunnel: Failed error=no count=["1"] none=undefined\n',
  );
});
