/**
 * Traffic between two namespaces, and the results.
 *
 * @module
 */

import type { Lab } from "./namespaces.ts";
import { type Child, labCommand, run } from "./process.ts";
import type { CountReport } from "./tools/count.ts";
import type { FloodPlan, FloodReport } from "./tools/flood.ts";
import { SERVER_NAME } from "./tools/quic.ts";
import type { TcpSample, TcpSent, TcpTotal } from "./tools/tcp.ts";
import type { EchoReport, StreamReport } from "./tools/udp.ts";

/** Where traffic goes from and to. */
export interface Flow {
  /** Namespace that sends. */
  readonly from: string;
  /** Namespace that receives. */
  readonly to: string;
  /** Address of the receiver. */
  readonly address: string;
  readonly port: number;
}

/** What carries a transfer: TCP or QUIC, and their congestion control. */
export type Carrier = "cubic" | "bbr" | "quic-cubic" | "quic-bbr";

/** A finished transfer. */
export interface TcpResult {
  readonly samples: readonly TcpSample[];
  /** Bits per second of payload, without the first `warmupSeconds`. */
  readonly bps: number;
  /** Of everything that came, including after the last sample. */
  readonly totalBytes: number;
  readonly longestGapUs: number;
  readonly congestionControl: string;
  /** Absent with QUIC. */
  readonly retransmits?: number;
}

/**
 * How long the source sends beyond the measurement: the reset that ends a transfer may overtake
 * data, which must not be missing from the last samples.
 */
const TAIL_SECONDS = 0.5;
/** Samples of the sink come every 100 ms. */
const SAMPLES_PER_SECOND = 10;

let nextPort = 20_000;

/** A port that no other transfer of this process uses. */
export function freshPort(): number {
  return nextPort++;
}

function tool(lab: Lab, namespace: string, ...args: readonly (string | number)[]): Child {
  return lab.spawn(namespace, labCommand("./tools/main.ts", ...args.map(String)));
}

/** Starts a tool that listens, and waits until it does. */
async function listener(lab: Lab, namespace: string, ...args: (string | number)[]): Promise<Child> {
  const child = tool(lab, namespace, ...args);
  if (!(await child.line())?.includes("listening")) {
    await child.stop();
    throw new Error(`${args.join(" ")}: ${child.stderr.join("\n")}`);
  }
  return child;
}

/** What may differ from transfer to transfer. */
export interface TransferOptions {
  /** Left out of the average. */
  readonly warmupSeconds?: number;
  /** Called every 100 ms as it runs. */
  readonly onSample?: (sample: TcpSample) => void;
}

/** One TCP transfer of `seconds`. */
export function tcpTransfer(
  lab: Lab,
  flow: Flow,
  seconds: number,
  options: TransferOptions = {},
): Promise<TcpResult> {
  return bulkTransfer(lab, flow, seconds, "cubic", options);
}

/** One transfer of `seconds` by `carrier`. */
export async function bulkTransfer(
  lab: Lab,
  flow: Flow,
  seconds: number,
  carrier: Carrier,
  options: TransferOptions = {},
): Promise<TcpResult> {
  const { address, port } = flow;
  const isQuic = carrier === "quic-cubic" || carrier === "quic-bbr";
  const kind = isQuic ? "quic" : "tcp";
  const congestion = isQuic ? carrier.slice("quic-".length) : carrier;
  const certificate = isQuic ? [await certificateFile()] : [];
  const sink = await listener(
    lab,
    flow.to,
    `${kind}-sink`,
    address,
    port,
    seconds + 5,
    ...certificate,
  );
  const length = seconds + TAIL_SECONDS;
  const source = tool(
    lab,
    flow.from,
    `${kind}-source`,
    address,
    port,
    length,
    ...certificate,
    congestion,
  );
  const samples: TcpSample[] = [];
  let total: TcpTotal | undefined;
  source.status.then(({ success }) => success || sink.kill("SIGTERM"));
  for (let line = await sink.line(); line !== undefined; line = await sink.line()) {
    const value = JSON.parse(line) as Partial<TcpSample & TcpTotal>;
    if (value.total !== undefined) total = value as TcpTotal;
    if (value.at === undefined || samples.length >= seconds * SAMPLES_PER_SECOND) continue;
    samples.push(value as TcpSample);
    options.onSample?.(value as TcpSample);
  }
  const sent = await source.line();
  await source.finish(2000);
  await sink.finish(2000);
  if (total === undefined || sent === undefined) {
    throw new Error(
      `${kind} to ${address}:${port}: ${[...source.stderr, ...sink.stderr].join("\n")}`,
    );
  }
  return {
    samples,
    bps: averageBps(samples, options.warmupSeconds ?? 0, seconds),
    totalBytes: total.total,
    longestGapUs: total.longestGapUs,
    ...JSON.parse(sent) as TcpSent,
  };
}

let certificatePath: Promise<string> | undefined;

/** A certificate for QUIC, made once per process; its key is in the file with `.key` after it. */
function certificateFile(): Promise<string> {
  return certificatePath ??= (async (): Promise<string> => {
    const folder = await Deno.makeTempDir({ prefix: "agg-quic-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    const path = `${folder}/certificate`;
    await run([
      ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" "),
      ...[
        "-days",
        "2",
        "-subj",
        `/CN=${SERVER_NAME}`,
        "-addext",
        `subjectAltName=DNS:${SERVER_NAME}`,
      ],
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", `${path}.key`, "-out", path],
    ]);
    return path;
  })();
}

/** Average of samples of 100 ms between two times, in bits per second. */
export function averageBps(samples: readonly TcpSample[], from: number, to: number): number {
  const slice = samples.slice(
    Math.round(from * SAMPLES_PER_SECOND),
    Math.round(to * SAMPLES_PER_SECOND),
  );
  const bytes = slice.reduce((sum, sample) => sum + sample.bytes, 0);
  return slice.length === 0 ? 0 : bytes * 8 / (slice.length / SAMPLES_PER_SECOND);
}

/** Sends numbered datagrams for `seconds` and reports what came. */
export async function udpStream(
  lab: Lab,
  flow: Flow,
  stream: { packetsPerSecond: number; sizeBytes: number; seconds: number },
): Promise<StreamReport> {
  const { address, port } = flow;
  const { packetsPerSecond, sizeBytes, seconds } = stream;
  const sink = await listener(lab, flow.to, "udp-sink", address, port, seconds + 5);
  const source = tool(
    lab,
    flow.from,
    "udp-source",
    address,
    port,
    packetsPerSecond,
    sizeBytes,
    seconds,
  );
  const report = await sink.line();
  await source.finish(3000);
  await sink.finish(3000);
  if (report === undefined) {
    throw new Error(`UDP to ${address}: ${[...source.stderr, ...sink.stderr].join("\n")}`);
  }
  return JSON.parse(report) as StreamReport;
}

/** What may differ from ping to ping. */
export interface PingOptions {
  readonly count?: number;
  readonly intervalMs?: number;
  readonly sizeBytes?: number;
  /** Whether each round trip is reported. */
  readonly trips?: boolean;
}

/** Round trips of `count` datagrams over an echo in `flow.to`. */
export async function ping(
  lab: Lab,
  flow: Flow,
  options: PingOptions = {},
): Promise<EchoReport> {
  const { count = 50, intervalMs = 10 } = options;
  const seconds = count * intervalMs / 1000 + 5;
  const echo = await startEcho(lab, flow.to, flow.address, flow.port, seconds);
  try {
    return await pingFrom(lab, flow, options);
  } finally {
    await echo.stop("SIGKILL");
  }
}

/** The same with an echo that runs already. */
export async function pingFrom(
  lab: Lab,
  flow: Omit<Flow, "to">,
  options: PingOptions = {},
): Promise<EchoReport> {
  const { from, address, port } = flow;
  const { count = 50, intervalMs = 10, sizeBytes = 64, trips = false } = options;
  const what = trips ? "trips" : "percentiles";
  const client = tool(lab, from, "udp-ping", address, port, count, intervalMs, sizeBytes, what);
  const report = await client.line();
  await client.finish(3000);
  if (report === undefined) throw new Error(`ping ${address}: ${client.stderr.join("\n")}`);
  return JSON.parse(report) as EchoReport;
}

/** An echo that runs for some seconds, or until it is stopped. */
export function startEcho(
  lab: Lab,
  namespace: string,
  address: string,
  port: number,
  seconds: number,
): Promise<Child> {
  return listener(lab, namespace, "udp-echo", address, port, seconds);
}

/** Sends one datagram with DF set; returns the errno that the kernel gave, 0 for none. */
export async function sendUnfragmented(lab: Lab, flow: Flow, sizeBytes: number): Promise<number> {
  const child = tool(lab, flow.from, "udp-unfragmented", flow.address, flow.port, sizeBytes);
  const line = await child.line();
  await child.finish(3000);
  if (line === undefined) throw new Error(`udp-unfragmented: ${child.stderr.join("\n")}`);
  return (JSON.parse(line) as { errno: number }).errno;
}

/** Occupies a UDP port of a namespace until the returned child is stopped. */
export function holdPort(
  lab: Lab,
  namespace: string,
  address: string,
  port: number,
): Promise<Child> {
  return startEcho(lab, namespace, address, port, 60);
}

/** Floods from a namespace to the end of the plan. */
export async function runFlood(lab: Lab, from: string, plan: FloodPlan): Promise<FloodReport> {
  const file = await Deno.makeTempFile({ prefix: "agg-flood-" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(plan));
    const child = tool(lab, from, "flood", file);
    const line = await child.line();
    await child.finish(3000);
    if (line === undefined) throw new Error(`flood: ${child.stderr.join("\n")}`);
    return JSON.parse(line) as FloodReport;
  } finally {
    await Deno.remove(file);
  }
}

/** Datagrams of `sizeBytes` of payload, as fast as asked or as the sender can, and how many came. */
export async function udpFlood(
  lab: Lab,
  flow: Flow,
  stream: { packetsPerSecond: number; sizeBytes: number; seconds: number },
): Promise<FloodReport & CountReport> {
  const { address, port } = flow;
  const { packetsPerSecond, sizeBytes, seconds } = stream;
  const sink = await listener(lab, flow.to, "udp-count", address, port, seconds + 5);
  const packets = [new Uint8Array(sizeBytes).toBase64()];
  const plan = { address, port, packetsPerSecond, seconds, kind: "payload", packets } as const;
  const sent = await runFlood(lab, flow.from, plan);
  const line = await sink.line();
  await sink.finish(3000);
  if (line === undefined) throw new Error(`UDP to ${address}: ${sink.stderr.join("\n")}`);
  return { ...sent, ...JSON.parse(line) as CountReport };
}
