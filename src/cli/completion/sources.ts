/**
 * Names of tunnels, links and clients for completion: those of the tunnels that run.
 *
 * Whoever may not ask a tunnel gets none; nothing here takes longer than a person waits for a key.
 *
 * @module
 */

import { CONTROL_DIRECTORY } from "../../config/schema.ts";
import { ask } from "../../control/client.ts";
import type { StatusDocument } from "../../control/protocol.ts";
import { runningTunnels } from "../find_control.ts";
import type { Candidate, Sources } from "./complete.ts";

/** Time for all questions together, in milliseconds. */
const PATIENCE_MS = 500;

/** Asks the tunnels of this host. */
export const HOST_SOURCES: Sources = {
  tunnel: () => inTime(tunnels()),
  link: () => inTime(linksOf(({ role }) => role === "client")),
  client: () => inTime(clients()),
};

async function tunnels(): Promise<Candidate[]> {
  return (await runningTunnels()).map((value) => ({ value, doc: "running tunnel" }));
}

async function linksOf(
  wanted: (tunnel: StatusDocument["tunnel"]) => boolean,
): Promise<Candidate[]> {
  return (await statuses()).filter(({ tunnel }) => wanted(tunnel)).flatMap(({ daemon, tunnel }) =>
    tunnel.peers.flatMap((peer) =>
      peer.links.map(({ name, state }) => ({ value: name, doc: `${state}, of ${daemon.name}` }))
    )
  );
}

async function clients(): Promise<Candidate[]> {
  return (await statuses()).filter(({ tunnel }) => tunnel.role === "server").flatMap((status) =>
    status.tunnel.peers.map(({ name, state }) => ({
      value: name,
      doc: `${state}, of ${status.daemon.name}`,
    }))
  );
}

async function statuses(): Promise<StatusDocument[]> {
  const answers = await Promise.all(
    (await runningTunnels()).map((name) =>
      ask(`${CONTROL_DIRECTORY}/${name}.sock`, "status").catch(() => null)
    ),
  );
  return answers.filter((answer) => answer !== null) as StatusDocument[];
}

/** What is not there in time is not offered. */
async function inTime(names: Promise<Candidate[]>): Promise<readonly Candidate[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Candidate[]>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, []);
  });
  try {
    return await Promise.race([names.catch(() => []), late]);
  } finally {
    clearTimeout(timer);
  }
}
