/**
 * The log: one line per record on standard error, for people and for journals.
 *
 * @module
 */

import { configureSync, type LogRecord } from "@logtape/logtape";
import type { LogLevel } from "../config/config.ts";
import { PatientStream } from "./patient_stream.ts";

/** Starts logging records of at least `level`, to the stream that it returns. */
export function startLog(level: LogLevel): PatientStream {
  const withTime = !Deno.stderr.isTerminal();
  const stream = new PatientStream(
    Deno.stderr,
    (count) => formatRecord(lostRecord(count), withTime),
  );
  setLogLevel(stream, level);
  return stream;
}

/** Logs records of at least `level` from now on, to a stream of {@linkcode startLog}. */
export function setLogLevel(stream: PatientStream, level: LogLevel): void {
  const withTime = !Deno.stderr.isTerminal();
  configureSync({
    reset: true,
    sinks: { stderr: (record) => stream.write(formatRecord(record, withTime)) },
    loggers: [
      { category: "aggvpn", sinks: ["stderr"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "error" },
    ],
  });
}

function lostRecord(count: number): LogRecord {
  const template = "{count} lines were not logged: nobody read them";
  return {
    category: ["aggvpn", "log"],
    level: "warning",
    message: ["", count, " lines were not logged: nobody read them"],
    rawMessage: template,
    timestamp: Date.now(),
    properties: { count },
  };
}

/** Fields whose value is never written. */
const SECRET_FIELD = /password|passphrase|secret|psk|key$/i;

/**
 * Writes one record: time in UTC unless a person is watching, level, where, message, and
 * the fields that the message does not mention.
 */
export function formatRecord(record: LogRecord, withTime: boolean): string {
  const time = withTime ? `${new Date(record.timestamp).toISOString()} ` : "";
  const where = record.category.slice(1).join(".");
  const message = record.message.map((part, i) => i % 2 === 0 ? part : show(part)).join("");
  const template = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const fields = Object.entries(record.properties)
    .filter(([name]) => !template.includes(`{${name}}`))
    .map(([name, value]) => ` ${name}=${SECRET_FIELD.test(name) ? "[hidden]" : show(value)}`);
  return `${time}${record.level}: ${where}: ${oneLine(message + fields.join(""))}\n`;
}

function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return value.message;
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner) ??
    String(value);
}

/** Escapes what would start a second line or control the terminal. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (letter) => {
    return letter === "\n" ? "\\n" : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
