/**
 * What a UDP port does that did not answer the handshake: aggvpn answers nobody without its key, so
 * only what the network says tells a closed port from a silent one.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { type Inquiry, Refusal } from "../platform/inquiry.ts";
import type { Platform, SocketOptions } from "../platform/platform.ts";
import { type Remote, remoteOf } from "../remote.ts";
import type { PortState } from "./facts.ts";

/** A port on which nobody listens, where traceroute(8) begins: a closed port says so. */
const CLOSED_PORT = 33_434;
/** How long to wait for a message of the network, and how often to ask, in milliseconds. */
const WAIT_MS = 1_500;
const EVERY_MS = 250;
const LOOK_MS = 20;
/** No datagram of aggvpn: its server drops it without a word. */
const NOTHING = Uint8Array.of(0);

const STATES: Readonly<Record<string, PortState>> = {
  ECONNREFUSED: "closed",
  EPERM: "denied",
  EACCES: "denied",
};

/** Asks a port by the way of a link. Rejects with AggvpnError when there is no such way. */
export async function askPort(
  platform: Pick<Platform, "openInquiry">,
  link: SocketOptions,
  remote: Remote,
): Promise<PortState> {
  const inquiry = platform.openInquiry(withoutPort(link), remote, "udp");
  try {
    return await listen(inquiry);
  } catch (error) {
    if (error instanceof Refusal) return STATES[error.code] ?? "unreachable";
    throw error;
  } finally {
    inquiry.close();
  }
}

/** Asks a port of the same host that is surely closed: does the network tell? */
export async function askClosedPort(
  platform: Pick<Platform, "openInquiry">,
  link: SocketOptions,
  remote: Remote,
): Promise<PortState> {
  return await askPort(platform, link, remoteOf(remote.address.bytes, CLOSED_PORT));
}

/** The link itself, or a running tunnel, has the port that it is bound to. */
export function withoutPort({ port: _port, ...options }: SocketOptions): SocketOptions {
  return options;
}

/** Resolves as soon as something comes, or after some time. Rejects with Refusal. */
async function listen(inquiry: Inquiry): Promise<PortState> {
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_MS) {
    if (waitedMs % EVERY_MS < LOOK_MS) inquiry.write(NOTHING);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (inquiry.read() !== undefined) return "answered";
  }
  return "silent";
}

/** Asks ports and says why that was not possible instead of failing. */
export async function tryPorts(
  platform: Pick<Platform, "openInquiry">,
  link: SocketOptions,
  remote: Remote,
): Promise<{ readonly port?: PortState; readonly closedPort?: PortState }> {
  try {
    const [port, closedPort] = await Promise.all([
      askPort(platform, link, remote),
      askClosedPort(platform, link, remote),
    ]);
    return { port, closedPort };
  } catch (error) {
    if (error instanceof AggvpnError) return {};
    throw error;
  }
}
