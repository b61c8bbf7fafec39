/**
 * Entry of the traffic tools: `main.ts TOOL ARGUMENT...`; `../traffic.ts` starts them.
 *
 * @module
 */

import { udpCount } from "./count.ts";
import { portal } from "./portal.ts";
import { flood, type FloodPlan } from "./flood.ts";
import { quicSink, quicSource } from "./quic.ts";
import { tcpSink, tcpSource } from "./tcp.ts";
import { udpEcho, udpPing, udpSink, udpSource, udpUnfragmented } from "./udp.ts";

const TOOLS: Readonly<Record<string, (args: readonly string[]) => void | Promise<void>>> = {
  "tcp-sink": ([address = "", port, seconds]) => tcpSink(address, Number(port), Number(seconds)),
  "tcp-source": ([address = "", port, seconds, congestion = "cubic"]) =>
    tcpSource(address, Number(port), Number(seconds), congestion),
  "quic-sink": ([address = "", port, seconds, certificate = ""]) =>
    quicSink(address, Number(port), Number(seconds), certificate),
  "quic-source": ([address = "", port, seconds, certificate = "", congestion = "cubic"]) =>
    quicSource(address, Number(port), Number(seconds), certificate, congestion),
  "udp-sink": ([address = "", port, seconds]) => udpSink(address, Number(port), Number(seconds)),
  "udp-source": ([address = "", port, rate, size, seconds]) =>
    udpSource(address, Number(port), Number(rate), Number(size), Number(seconds)),
  "udp-count": ([address = "", port, seconds]) => udpCount(address, Number(port), Number(seconds)),
  "udp-echo": ([address = "", port, seconds]) => udpEcho(address, Number(port), Number(seconds)),
  "udp-ping": ([address = "", port, count, intervalMs, size, what]) =>
    udpPing(
      address,
      Number(port),
      Number(count),
      Number(intervalMs),
      Number(size),
      what === "trips",
    ),
  "udp-unfragmented": ([address = "", port, size]) =>
    udpUnfragmented(address, Number(port), Number(size)),
  "portal": ([address = "", port, status]) => portal(address, Number(port), Number(status)),
  "flood": ([file = ""]) => flood(JSON.parse(Deno.readTextFileSync(file)) as FloodPlan),
};

if (import.meta.main) {
  const [tool = "", ...args] = Deno.args;
  await TOOLS[tool]?.(args);
  Deno.exit(TOOLS[tool] ? 0 : 2);
}
