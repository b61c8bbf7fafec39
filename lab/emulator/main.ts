/**
 * The link emulator's process. Reads its plan from stdin, makes the lines, says so on stdout, and
 * then moves packets and obeys orders until stdin ends: when its parent dies, it dies too and the
 * lines vanish.
 *
 * @module
 */

import process from "node:process";
import { HostClock, openLibc } from "../libc.ts";
import { Line } from "./line.ts";
import { runLoop } from "./loop.ts";
import type { Answer, Order, Plan } from "./protocol.ts";
import { Slots } from "./slots.ts";

const STDIN = 0;
const SLOTS = 24_576;

/** Splits what comes from stdin into lines, by blocking reads. */
class Input {
  readonly #bytes = new Uint8Array(65536);
  readonly #decoder = new TextDecoder();
  #text = "";

  /** Reads once; returns the complete lines, or undefined at the end of input. */
  read(): string[] | undefined {
    const length = openLibc().read(STDIN, this.#bytes, BigInt(this.#bytes.length));
    if (length <= 0) return undefined;
    this.#text += this.#decoder.decode(this.#bytes.subarray(0, length), { stream: true });
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    return lines.filter((line) => line !== "");
  }
}

function answer(id: number, now: number, lines: readonly Line[], packets?: string[]): void {
  const usage = process.cpuUsage();
  const reply: Answer = {
    id,
    now,
    lines: lines.map((line) => line.counters()),
    cpuUs: usage.user + usage.system,
    ...packets && { packets },
  };
  const bytes = new TextEncoder().encode(JSON.stringify(reply) + "\n");
  for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
}

function obey(order: Order, lines: readonly Line[], now: number): void {
  const { set, capture } = order;
  if (set) {
    const line = lines[set.line];
    if (set.up) line?.up.direction.reshape(now, set.up);
    if (set.down) line?.down.direction.reshape(now, set.down);
  }
  if (capture) lines[capture.line]?.lane(capture.way).capture(capture.count);
  const packets = order.captured && lines
    .flatMap((line) => [...line.up.takeCaptured(), ...line.down.takeCaptured()])
    .map((packet) => packet.toBase64());
  answer(order.id, now, lines, packets || undefined);
}

function main(): void {
  const clock = new HostClock();
  const input = new Input();
  let first = input.read();
  // A plan with recordings comes in many pieces.
  while (first?.length === 0) first = input.read();
  if (first === undefined) return;
  const plan = JSON.parse(first[0]!) as Plan;
  const slots = new Slots(SLOTS);
  const lines = plan.lines.map((line, i) =>
    new Line(line, slots, plan.seed + i * 7919, clock.now())
  );
  answer(0, clock.now(), lines);
  runLoop(lines, STDIN, () => {
    const orders = input.read();
    orders?.forEach((text) => obey(JSON.parse(text) as Order, lines, clock.now()));
    return orders !== undefined;
  });
}

if (import.meta.main) {
  main();
  Deno.exit(0);
}
