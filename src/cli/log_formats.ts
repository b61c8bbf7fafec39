/**
 * A record of the log as text for people, as JSON, for journald and for syslog.
 *
 * Whatever the form, a record is one line without control characters, and secrets and bytes are never
 * in it.
 *
 * @module
 */

import type { LogLevel, LogRecord } from "@logtape/logtape";

/** Fields whose value is never written. */
const SECRET_FIELD = /password|passphrase|secret|psk|key$/i;

/** Severities of syslog(3), which journald has too. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = {
  fatal: 2,
  error: 3,
  warning: 4,
  info: 6,
  debug: 7,
  trace: 7,
};
/** LOG_DAEMON of syslog(3). */
const FACILITY = 3 << 3;
/** Bytes of a message that every syslogd takes whole: LOG_MAXLINE of OpenBSD, less the rest. */
const MAX_SYSLOG_BYTES = 8000;
/** Longest name of a journal field: systemd.journal-fields(7). */
const MAX_FIELD_NAME = 64;

const IDENTIFIER = "aggvpn";

/**
 * Writes time in UTC unless a person is watching, level, where, message, and the fields that the
 * message does not mention.
 */
export function formatText(record: LogRecord, withTime: boolean): string {
  const time = withTime ? `${timeOf(record)} ` : "";
  return `${time}${record.level}: ${sentenceOf(record)}\n`;
}

/** Writes an object with time, level, category, message, and all fields by name. */
export function formatJson(record: LogRecord): string {
  const fields = Object.entries(record.properties)
    .map(([name, value]) => [name, isSecret(name) ? "[hidden]" : plain(value)]);
  return JSON.stringify({
    time: timeOf(record),
    level: record.level,
    category: categoryOf(record),
    message: messageOf(record),
    fields: Object.fromEntries(fields),
  }) + "\n";
}

/** Writes a line of a service's standard error, with the priority in front: sd-daemon(3). */
export function formatPrefixed(record: LogRecord): string {
  return `<${PRIORITIES[record.level]}>${formatText(record, false)}`;
}

/** Writes an entry of journald's native protocol; a field `link` becomes AGGVPN_LINK. */
export function formatJournal(record: LogRecord): string {
  const entry = new Map<string, string>([
    ["MESSAGE", sentenceOf(record)],
    ["PRIORITY", `${PRIORITIES[record.level]}`],
    ["SYSLOG_IDENTIFIER", IDENTIFIER],
    ["AGGVPN_CATEGORY", categoryOf(record)],
    ["AGGVPN_LEVEL", record.level],
  ]);
  for (const [name, value] of Object.entries(record.properties)) {
    const field = journalField(name);
    if (!isSecret(name) && !entry.has(field)) entry.set(field, oneLine(show(value)));
  }
  return [...entry].map(([name, value]) => `${name}=${value}\n`).join("");
}

/** Writes a message as syslog(3) sends it; `withTime`: with the local time. */
export function formatSyslog(record: LogRecord, withTime: boolean): string {
  const priority = FACILITY | PRIORITIES[record.level];
  const time = withTime ? `${localTime(new Date(record.timestamp))} ` : "";
  return clip(`<${priority}>${time}${IDENTIFIER}[${Deno.pid}]: ${sentenceOf(record)}`);
}

/** Where, message, and the fields that the message does not mention. */
function sentenceOf(record: LogRecord): string {
  const template = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const fields = Object.entries(record.properties)
    .filter(([name]) => !template.includes(`{${name}}`))
    .map(([name, value]) => ` ${name}=${isSecret(name) ? "[hidden]" : show(value)}`);
  return `${categoryOf(record)}: ${oneLine(textOf(record) + fields.join(""))}`;
}

function messageOf(record: LogRecord): string {
  return oneLine(textOf(record));
}

function textOf({ message }: LogRecord): string {
  return message.map((part, i) => i % 2 === 0 ? part : show(part)).join("");
}

function categoryOf({ category }: LogRecord): string {
  return category.slice(1).join(".");
}

function timeOf({ timestamp }: LogRecord): string {
  return new Date(timestamp).toISOString();
}

function isSecret(name: string): boolean {
  return SECRET_FIELD.test(name);
}

function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return value.message;
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner) ??
    String(value);
}

/** What JSON says as well as people do stays as it is. */
function plain(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? value : oneLine(show(value));
}

/** `rttUs` is AGGVPN_RTT_US. */
function journalField(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_");
  return `AGGVPN_${words.toUpperCase()}`.slice(0, MAX_FIELD_NAME);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** As in RFC 3164, section 4.1.2. */
function localTime(date: Date): string {
  const day = `${date.getDate()}`.padStart(2);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => `${part}`.padStart(2, "0")).join(":");
  return `${MONTHS[date.getMonth()]} ${day} ${clock}`;
}

/** Cuts what would be too long, between two characters. */
function clip(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_SYSLOG_BYTES) return text;
  return new TextDecoder().decode(bytes.subarray(0, MAX_SYSLOG_BYTES), { stream: true });
}

/** Escapes what would start a second line or control the terminal. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (letter) => {
    return letter === "\n" ? "\\n" : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
