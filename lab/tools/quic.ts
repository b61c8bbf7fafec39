/**
 * A QUIC transfer, by Deno's own QUIC (quinn): a source that writes as fast as it may and a sink
 * that reports every 100 ms what came, in the lines of `tcp.ts`.
 *
 * @module
 */

import { HostClock } from "../libc.ts";
import { say } from "./socket.ts";
import type { TcpSample, TcpSent, TcpTotal } from "./tcp.ts";

const CHUNK = new Uint8Array(64 * 1024);
const REPORT_US = 100_000;
/** Any name that certificate and source agree on. */
export const SERVER_NAME = "sink.example";
const PROTOCOLS = ["lab"];

/** What Deno calls the congestion controls. */
const CONTROLS = { cubic: "throughput", bbr: "low-latency" } as const;

/** Counts what comes, and reports it. */
class Counter {
  readonly #clock = new HostClock();
  #next = this.#clock.now() + REPORT_US;
  #first = 0;
  #last = 0;
  #bytes = 0;
  #total = 0;
  #gapUs = 0;
  #longestGapUs = 0;

  add(bytes: number): void {
    this.tick();
    const now = this.#clock.now();
    if (this.#first === 0) this.#first = now;
    this.#last = now;
    this.#bytes += bytes;
    this.#total += bytes;
  }

  /** Reports the intervals that have ended. */
  tick(): void {
    const now = this.#clock.now();
    if (this.#first !== 0) this.#gapUs = Math.max(this.#gapUs, now - this.#last);
    for (; now >= this.#next; this.#next += REPORT_US) {
      const gapUs = Math.round(this.#gapUs);
      say({ at: this.#next, bytes: this.#bytes, gapUs } satisfies TcpSample);
      this.#longestGapUs = Math.max(this.#longestGapUs, this.#gapUs);
      this.#bytes = this.#gapUs = 0;
    }
  }

  total(): TcpTotal {
    const elapsedUs = this.#last - this.#first;
    return { total: this.#total, elapsedUs, longestGapUs: this.#longestGapUs };
  }
}

/** Accepts one connection on `address` and reads its stream to the end or for `seconds`. */
export async function quicSink(
  address: string,
  port: number,
  seconds: number,
  certificate: string,
): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname: address, port });
  const listener = endpoint.listen({
    cert: Deno.readTextFileSync(certificate),
    key: Deno.readTextFileSync(`${certificate}.key`),
    alpnProtocols: PROTOCOLS,
  });
  say({ listening: true });
  const connection = await listener.accept();
  const counter = new Counter();
  const ticks = setInterval(() => counter.tick(), REPORT_US / 1000);
  const end = setTimeout(() => connection.close(), seconds * 1000);
  try {
    for await (const stream of connection.incomingUnidirectionalStreams) {
      for await (const bytes of stream) counter.add(bytes.length);
    }
  } catch {
    // The source closes the connection in the middle of its stream; what came is counted.
  }
  clearInterval(ticks);
  clearTimeout(end);
  say(counter.total());
}

/** Connects to a sink and writes for `seconds`. */
export async function quicSource(
  address: string,
  port: number,
  seconds: number,
  certificate: string,
  congestion: string,
): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname: "0.0.0.0", port: 0 });
  const connection = await Deno.connectQuic({
    hostname: address,
    port,
    endpoint,
    serverName: SERVER_NAME,
    caCerts: [Deno.readTextFileSync(certificate)],
    alpnProtocols: PROTOCOLS,
    congestionControl: congestion === "bbr" ? CONTROLS.bbr : CONTROLS.cubic,
  });
  const stream = await connection.createUnidirectionalStream();
  const writer = stream.getWriter();
  const end = performance.now() + seconds * 1000;
  const stopping = setTimeout(() => connection.close(), seconds * 1000);
  try {
    while (performance.now() < end) await writer.write(CHUNK);
  } catch (error) {
    if (performance.now() < end) throw error;
  }
  clearTimeout(stopping);
  connection.close();
  say({ congestionControl: congestion } satisfies TcpSent);
}
