/**
 * Where a server listens.
 *
 * @module
 */

import type { ListenConfig } from "./config.ts";
import { formatHostPort } from "./host_port.ts";
import type { Located } from "./kind.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import { MAX_LINKS, type TOP_KEYS } from "./schema.ts";

/** Returns where the server listens; reports addresses that two sockets cannot share. */
export function readListen(
  top: Reading<typeof TOP_KEYS>,
  complete: boolean,
  report: Report,
): readonly ListenConfig[] {
  const listen = top.values.listen ?? [];
  const isMissing = top.has("listen") ? top.values.listen?.length === 0 : complete;
  if (isMissing) {
    const at = top.has("listen") ? top.placeOf("listen") : undefined;
    const message = "listen: missing, a server needs at least one address and port";
    report.error(at, message, 'write listen = ["0.0.0.0:5080"] before the first table');
  }
  if (listen.length > MAX_LINKS) {
    const message = `listen: expected at most ${MAX_LINKS} addresses, found ${listen.length}`;
    report.error(top.placeOf("listen"), message);
  } else {
    for (const [i, socket] of listen.entries()) {
      const other = listen.slice(0, i).find((earlier) => clashes(socket.value, earlier.value));
      if (other) reportClash(socket, other, report);
    }
  }
  return listen.map((socket) => socket.value);
}

function reportClash(
  socket: Located<ListenConfig>,
  other: Located<ListenConfig>,
  report: Report,
): void {
  const [mine, taken] = [formatHostPort(socket.value), formatHostPort(other.value)];
  const message = mine === taken
    ? `listen: ${mine} is listed twice`
    : `listen: ${mine} is covered by ${taken}`;
  report.error(socket.at, message, "remove one of the two");
}

function clashes(a: ListenConfig, b: ListenConfig): boolean {
  if (a.port !== b.port || a.host.family !== b.host.family) return false;
  return a.host.equals(b.host) || a.host.isUnspecified || b.host.isUnspecified;
}
