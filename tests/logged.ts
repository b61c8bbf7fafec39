/**
 * Captures what the program logs, for tests.
 *
 * @module
 */

import { configure, type LogRecord, reset } from "@logtape/logtape";

/** Runs `body` and returns the lines it logged, each after its level. */
export async function logged(body: () => Promise<void> | void): Promise<string[]> {
  const lines: string[] = [];
  await configure({
    sinks: {
      lines: (record: LogRecord) => lines.push(`${record.level} ${record.message.join("")}`),
    },
    loggers: [
      { category: "aggvpn", sinks: ["lines"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], lowestLevel: "fatal" },
    ],
  });
  try {
    await body();
  } finally {
    await reset();
  }
  return lines;
}
