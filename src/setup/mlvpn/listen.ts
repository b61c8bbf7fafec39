/**
 * The links of a server of mlvpn: all that is left of them is where it listens.
 *
 * @module
 */

import { type Address, parseAddress } from "../../address.ts";
import type { Draft } from "./draft.ts";
import { writeHomeless } from "./homes.ts";

/** A socket of one link. */
interface Socket {
  readonly host: Address;
  readonly port: string;
}

const ANY = parseAddress("0.0.0.0")!;

/** Writes `listen`, and what becomes of the options of each link. */
export function writeListen({ settings, out }: Pick<Draft, "settings" | "out">): void {
  const sockets: Socket[] = [];
  const notes: [link: string, text: string][] = [];
  for (const link of settings.links) {
    const note = (text: string): void => void notes.push([link, text]);
    const written = settings.get(link, "bindhost");
    const host = parseAddress(written ?? "");
    const port = settings.get(link, "bindport");
    if (written === undefined) {
      note("without bindhost mlvpn does not listen at all; here it does, on every address.");
    } else if (!host) note(`bindhost = "${written}" is no address, so it listens on every one.`);
    if (port !== undefined) sockets.push({ host: host ?? ANY, port });
    else note("has no bindport, so it does not listen.");
    if (settings.get(link, "remotehost") !== undefined) {
      note("remotehost: a server has no use for it.");
    }
    if (settings.number(link, "bindfib")) {
      note("bindfib: start aggvpn in that routing domain instead.");
    }
    if (settings.number(link, "fallback_only")) {
      note('fallback_only: tier = "backup" at the client, which tells this end.');
    }
    for (
      const [key, to] of [["loss_tolerence", "max_loss"], ["latency_tolerence", "max_latency"]]
    ) {
      if (settings.inherited(link, key!) === undefined) continue;
      note(`${key}: ${to} of the link at the client, for both directions.`);
    }
    writeHomeless(settings, link, { comment: (text) => (note(text), out) });
  }
  out.pair("listen", listenOf(sockets));
  out.comment(
    "The links are the client's: it tells this end their names, tiers and limits. All of them may " +
      "use one port.",
  );
  for (const [link, text] of notes) out.comment(`[${link}] ${text}`);
}

/** One socket for each address and port; one of any address covers the others of its port. */
function listenOf(sockets: readonly Socket[]): string[] {
  const isCovered = ({ host, port }: Socket): boolean =>
    !host.isUnspecified &&
    sockets.some((other) =>
      other.port === port && other.host.isUnspecified && other.host.family === host.family
    );
  const left = sockets.filter((socket) => !isCovered(socket));
  return [
    ...new Set(
      left.map(({ host, port }) => host.family === 4 ? `${host}:${port}` : `[${host}]:${port}`),
    ),
  ];
}
