/**
 * The protocol of the control socket: one JSON object per line each way.
 *
 * A request is `{"version":1,"request":"status"}`, with more fields where it has parameters; the
 * answer is `{"version":1,"status":{...}}` or `{"version":1,"error":"...","hint":"..."}`. Some
 * requests have answers without end, a line each, until the client hangs up. Within a version
 * fields are only ever added.
 *
 * @module
 */

import type { EndpointStatus } from "../tunnel/options.ts";

/** Version of the requests, the answers and `status --json`. */
export const CONTROL_VERSION = 1;
/** Longest request line in bytes. */
export const MAX_REQUEST_BYTES = 4096;
/** Longest answer line in bytes; the status of a thousand links fits. */
export const MAX_ANSWER_BYTES = 4 << 20;

/** One socket of the tunnel, as `status` shows it. */
export interface SocketStatus {
  /** Name of the link on a client, the configured address on a server. */
  readonly name: string;
  /** Address and port it is bound to; empty while it cannot be opened. */
  readonly local: string;
  /** The interface that it is bound to; absent: none. */
  readonly interface?: string;
  /** Why it cannot be opened yet; absent while it is open. */
  readonly reason?: string;
  /** Datagrams lost because its receive buffer was full. */
  readonly receiveDrops: number;
}

/** The process that runs the tunnel. */
export interface DaemonStatus {
  readonly name: string;
  /** Absolute path of its configuration. */
  readonly file?: string;
  readonly pid: number;
  readonly uptimeUs: number;
  readonly rssBytes: number;
  /** Name of the TUN interface. */
  readonly interface: string;
  /** Its addresses, with the prefix lengths of the tunnel's networks. */
  readonly addresses?: readonly string[];
  /** What the system leaves to this program on it; human-readable. */
  readonly offload: string;
  /** Packets the TUN interface did not accept. */
  readonly tunDrops: number;
  /** Packets dropped since the process had paused meanwhile. */
  readonly staleDrops?: number;
  /** Packets from it that were longer than the tunnel carries, or made no sense. */
  readonly tunOversize: number;
  readonly tunMalformed: number;
  /** What commands have changed since the configuration was read, in words. */
  readonly changes?: readonly string[];
  readonly sockets: readonly SocketStatus[];
}

/** The answer to `status`, and what `status --json` prints. */
export interface StatusDocument {
  readonly version: typeof CONTROL_VERSION;
  readonly daemon: DaemonStatus;
  readonly tunnel: EndpointStatus;
}

/** Fields of a request besides `version` and `request`, unchecked. */
export type Parameters = Readonly<Record<string, unknown>>;

/** A request that was understood, or what is wrong with it. */
export type ParsedRequest =
  | { readonly request: string; readonly parameters: Parameters; readonly error?: undefined }
  | { readonly request?: undefined; readonly parameters?: undefined; readonly error: string };

/** Reads one request line; never throws. */
export function parseRequest(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: "The request is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { error: "The request is not a JSON object" };
  }
  const { version, request, ...parameters } = value as Record<string, unknown>;
  if (version !== CONTROL_VERSION) {
    return { error: `Only version ${CONTROL_VERSION} is spoken here` };
  }
  if (typeof request !== "string") return { error: 'The request has no "request"' };
  return { request, parameters };
}
