/**
 * The log: one line per record on standard error, or a message to the journal or to syslog.
 *
 * A log that cannot be written stops nothing. What journald or syslogd does not take goes to
 * standard error, and what nobody reads there is counted.
 *
 * @module
 */

import { configureSync, type LogRecord } from "@logtape/logtape";
import type { LogFormat, LogLevel } from "../config/config.ts";
import type { MessageSink, Platform } from "../platform/platform.ts";
import {
  formatJournal,
  formatJson,
  formatPrefixed,
  formatSyslog,
  formatText,
} from "./log_formats.ts";
import { PatientStream } from "./patient_stream.ts";

/** Where journald takes entries: its native protocol. */
const JOURNAL_SOCKET = "/run/systemd/journal/socket";
/** What standard error is on Linux. */
const STDERR_LINK = "/proc/self/fd/2";

/** What of the system the log needs. */
export type LogPlatform = Pick<Platform, "openSyslog" | "serviceManager">;

/** What is logged, and how. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

/** A log that has begun. */
export interface Log {
  /** Standard error, which others write to as well. */
  readonly stream: PatientStream;
  /** Logs records of at least `level` from now on. */
  readonly setLevel: (level: LogLevel) => void;
}

/** Starts logging. */
export function startLog({ level, format }: LogOptions, platform: LogPlatform): Log {
  const { message, line } = formOf(format, platform);
  const stream = new PatientStream(Deno.stderr, (count) => line(lostRecord(count)));
  const write = (record: LogRecord): void => {
    if (!message?.(record)) stream.write(line(record));
  };
  const setLevel = (level: LogLevel): void => configure(level, write);
  setLevel(level);
  return { stream, setLevel };
}

function configure(level: LogLevel, write: (record: LogRecord) => void): void {
  configureSync({
    reset: true,
    sinks: { log: write },
    loggers: [
      { category: "aggvpn", sinks: ["log"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: ["log"], lowestLevel: "error" },
    ],
  });
}

/** How records are written. */
interface Form {
  /** Hands a record to a service of the system; tells whether it was taken. */
  readonly message?: (record: LogRecord) => boolean;
  /** The line for standard error. */
  readonly line: (record: LogRecord) => string;
}

function formOf(format: LogFormat, platform: LogPlatform): Form {
  if (format === "json") return { line: formatJson };
  if (format === "syslog") {
    const syslog = openIfPossible(() => platform.openSyslog());
    const { wantsTime = false } = syslog ?? {};
    return messageForm(syslog, (record) => formatSyslog(record, wantsTime), textLine());
  }
  if (!isJournal(STDERR_LINK, Deno.env.get("JOURNAL_STREAM"))) return { line: textLine() };
  const journal = openIfPossible(() => platform.serviceManager?.open(JOURNAL_SOCKET));
  return messageForm(journal, formatJournal, formatPrefixed);
}

function messageForm(
  sink: MessageSink | undefined,
  format: (record: LogRecord) => string,
  line: Form["line"],
): Form {
  if (!sink) return { line };
  const encoder = new TextEncoder();
  return { message: (record) => sink.send(encoder.encode(format(record))), line };
}

function textLine(): Form["line"] {
  const withTime = !Deno.stderr.isTerminal();
  return (record) => formatText(record, withTime);
}

/**
 * Whether the file `path` is the one that systemd connected to the journal: `stream` has its device
 * and inode, as JOURNAL_STREAM does. A redirection would make it another file: systemd.exec(5).
 */
export function isJournal(path: string, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = Deno.statSync(path);
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // no /proc
  }
}

function openIfPossible<T>(open: () => T | undefined): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
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
