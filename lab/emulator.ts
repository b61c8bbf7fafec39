/**
 * Starts the link emulator and steers it: see `emulator/` for how it works.
 *
 *     client namespace                 one process                server namespace
 *     [ interface ] <-- TUN --> [ queue, rate, delay, loss ] <-- TUN --> [ interface ]
 *
 * @module
 */

import type { Answer, LineCounters, Order, Plan, Way } from "./emulator/protocol.ts";
import type { Shape } from "./emulator/shape.ts";
import { Child, labCommand } from "./process.ts";

/** A running emulator. */
export class Emulator {
  readonly #child: Child;
  #lastId = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Makes the lines of `plan`; resolves when their ends are in the namespaces. */
  static async start(plan: Plan): Promise<Emulator> {
    const child = new Child(labCommand("./emulator/main.ts"), { stdin: true });
    await child.write(JSON.stringify(plan));
    if (await child.line() === undefined) {
      await child.stop();
      throw new Error(`The link emulator failed: ${child.stderr.join("\n")}`);
    }
    return new Emulator(child);
  }

  /** Process id of the emulator. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Changes line number `line`. */
  async set(line: number, change: { up?: Partial<Shape>; down?: Partial<Shape> }): Promise<void> {
    await this.#ask({ set: { line, ...change } });
  }

  /** Cuts a line silently in both directions, or restores it. */
  async cut(line: number, blackhole: boolean): Promise<void> {
    await this.set(line, { up: { blackhole }, down: { blackhole } });
  }

  /** Lets a line carry packets of up to `mtu` bytes in both directions; 0: of any size. */
  async narrow(line: number, mtu: number, fragmentationNeeded = false): Promise<void> {
    const change = { mtu, fragmentationNeeded };
    await this.set(line, { up: change, down: change });
  }

  /** Counters of all lines, and the time they were read. */
  async counters(): Promise<{ now: number; cpuUs: number; lines: readonly LineCounters[] }> {
    return await this.#ask({});
  }

  /** Begins to keep the next `count` packets of one direction. */
  async capture(line: number, way: Way, count: number): Promise<void> {
    await this.#ask({ capture: { line, way, count } });
  }

  /** The IP packets kept since {@linkcode Emulator.capture}, oldest first. */
  async captured(): Promise<Uint8Array[]> {
    const { packets = [] } = await this.#ask({ captured: true });
    return packets.map((text) => Uint8Array.fromBase64(text));
  }

  /** Ends it; the lines vanish. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  #ask(order: Omit<Order, "id">): Promise<Answer> {
    const turn = this.#turn.then(async () => {
      const id = ++this.#lastId;
      await this.#child.write(JSON.stringify({ ...order, id }));
      const line = await this.#child.line();
      if (line === undefined) {
        throw new Error(`The link emulator ended: ${this.#child.stderr.join("\n")}`);
      }
      return JSON.parse(line) as Answer;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
