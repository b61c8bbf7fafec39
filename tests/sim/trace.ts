/**
 * One line per 100 ms of a running scenario: what the network did, what TCP
 * believes, what the tunnel believes. For tuning by eye.
 *
 * @module
 */

import { QuicFlow } from "./flows/quic.ts";
import { CLIENT } from "./packet.ts";
import { type Run, START_US } from "./scenario.ts";

/** Remembers the counters of the last line, to print differences. */
export class Tracer {
  #at = 0;
  #good = 0;
  readonly #sent: number[] = [];
  readonly #departed: number[] = [];
  readonly #drops: number[] = [];
  readonly #tooBig: number[] = [];
  #held = 0;
  #events = 0;

  constructor(readonly print: (line: string) => void) {}

  /** Prints the state of `run`, after what the tunnels have reported since the last line. */
  onStep(run: Run): void {
    const { simulation, bulk, udp } = run;
    const now = simulation.queue.now;
    const seconds = Math.max(1, now - this.#at) / 1e6;
    this.#printEvents(run);
    const good = [...bulk, ...udp].reduce((sum, flow) => sum + flow.goodBytes, 0);
    const parts = [
      `${(now / 1e6).toFixed(1).padStart(5)}s`,
      `good ${mbps(good - this.#good, seconds)}`,
      ...run.simulation.lines.map((_, i) => this.#link(run, i, seconds)),
      this.#tcp(run),
      this.#queues(run),
    ];
    if (now > START_US) this.print(parts.join(" | "));
    this.#at = now;
    this.#good = good;
  }

  /**
   * What a link could carry, was given and passed on, in Mbit/s; its queue; what it dropped; and
   * what the sender believes of it: rate, bytes in flight, round trip, why it is not used.
   */
  #link(run: Run, i: number, seconds: number): string {
    const { link } = run.simulation.lines[i]!;
    const { now } = run.simulation.queue;
    const upload = run.sending.side === CLIENT;
    const chain = upload ? link.up : link.down;
    const queue = upload ? link.upQueue : link.downQueue;
    const departed = queue.departedBytes(now);
    const sent = queue.queuedBytes(now) + departed;
    const drops = chain.drops - (this.#drops[i] ?? 0);
    const capacity = (queue.rate.meanBps(this.#at, now) / 1e6).toFixed(1).padStart(5);
    const given = mbps(sent - (this.#sent[i] ?? 0), seconds);
    const passed = mbps(departed - (this.#departed[i] ?? 0), seconds);
    this.#sent[i] = sent;
    this.#departed[i] = departed;
    this.#drops[i] = chain.drops;
    const queueMs = (queue.queuedUs(now) / 1000).toFixed(0).padStart(3);
    const mtu = upload ? link.upMtu : link.downMtu;
    const big = mtu.drops - (this.#tooBig[i] ?? 0);
    this.#tooBig[i] = mtu.drops;
    const lost = `d${drops}${big === 0 ? "" : ` big${big}`}`;
    return `${link.spec.name} cap${capacity} in${given} out${passed} q${queueMs}ms ${lost}` +
      this.#belief(run, i);
  }

  #belief(run: Run, i: number): string {
    const { endpoint } = run.sending;
    const status = endpoint.status(run.simulation.queue.now)?.peers[0]?.links[i];
    if (status === undefined) return "";
    const rate = (status.rateBps / 1e6).toFixed(1).padStart(5);
    const flight = (status.inFlightBytes / 1024).toFixed(0).padStart(4);
    const srtt = (status.srttUs / 1000).toFixed(0).padStart(3);
    const loss = (status.sendLoss * 100).toFixed(1);
    const state = status.state === "up" ? "" : ` ${status.state.toUpperCase()}`;
    const reason = status.reason === "" ? "" : ` (${status.reason})`;
    return ` r${rate} fl${flight}k srtt${srtt} l${loss}%${state}${reason}`;
  }

  #tcp(run: Run): string {
    const quic = run.udp.find((flow) => flow instanceof QuicFlow);
    if (quic !== undefined) return this.#quic(quic);
    const flow = run.bulk[0];
    if (flow === undefined) return "";
    const { board, congestion, state, resent } = flow.sender;
    const srtt = (board.srttUs / 1000).toFixed(0);
    return `tcp ${state[0]} cwnd${congestion.cwnd.toFixed(0).padStart(4)}${congestion.note}` +
      ` pipe${board.pipe} srtt${srtt} ooo${flow.receiver.held} re${resent}`;
  }

  #quic({ sender, socket }: QuicFlow): string {
    const { congestion, state, pipe, srttUs, lost, marks, probes } = sender;
    return `quic ${state[0]} cwnd${congestion.cwnd.toFixed(0).padStart(4)}${congestion.note}` +
      ` pipe${pipe} srtt${
        (srttUs / 1000).toFixed(0)
      } lost${lost} marks${marks} socket${socket.drops} probes${probes}`;
  }

  #queues(run: Run): string {
    const sender = run.sending.endpoint.status(run.simulation.queue.now)?.peers[0];
    const receiver = run.receiving.endpoint.status(run.simulation.queue.now)?.peers[0];
    const held = receiver?.heldPackets ?? 0;
    const { tun, mtu } = run.sending;
    const text = `tun ${tun.count} mtu ${mtu} q ${sender?.queuedPackets ?? 0}` +
      ` held+${held - this.#held} p99 ${((receiver?.holdP99Us ?? 0) / 1000).toFixed(1)}ms` +
      ` rs ${sender?.resentPackets ?? 0}`;
    this.#held = held;
    return text;
  }

  #printEvents(run: Run): void {
    for (; this.#events < run.simulation.events.length; this.#events++) {
      const { at, side, event } = run.simulation.events[this.#events]!;
      const { type, ...rest } = event;
      const text = Object.values(rest).filter((value) => value !== "").join(" ");
      this.print(
        `${(at / 1e6).toFixed(4)}s ${side === CLIENT ? "client" : "server"} ${type}: ${text}`,
      );
    }
  }
}

function mbps(bytes: number, seconds: number): string {
  return (bytes * 8e-6 / seconds).toFixed(1).padStart(5);
}
