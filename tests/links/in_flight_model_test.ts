import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { InFlight } from "../../src/links/in_flight.ts";

type Op =
  | { readonly do: "packet" | "control"; readonly bytes: number }
  | { readonly do: "ack"; readonly back: number; readonly run: number }
  | { readonly do: "detect" | "abandon" }
  | { readonly do: "wait"; readonly us: number };

interface Datagram {
  state: "sent" | "acked" | "lost";
  readonly slot: number;
  readonly bytes: number;
  readonly sentAtUs: number;
  readonly idleCount: number;
}

/** What {@linkcode InFlight} does, one map entry per datagram ever sent. */
class Model {
  readonly datagrams = new Map<number, Datagram>();
  acked = 0;
  lost = 0;
  newest = -1;
  reorderUs = 1000;

  get open(): [number, Datagram][] {
    return [...this.datagrams].filter(([, { state }]) => state === "sent");
  }

  get packets(): Datagram[] {
    return this.open.map(([, datagram]) => datagram).filter(({ slot }) => slot >= 0);
  }

  get newestSentAtUs(): number {
    return this.datagrams.get(this.newest)?.sentAtUs ?? 0;
  }

  acknowledge(low: number, high: number): { news: number; slots: number[] } {
    const slots: number[] = [];
    let news = 0;
    for (let number = low; number <= high; number++) {
      const datagram = this.datagrams.get(number);
      if (datagram?.state === "sent") {
        news++;
        if (datagram.slot >= 0) slots.push(datagram.slot);
      } else if (datagram?.state === "lost") {
        this.lost--;
        news++;
        const extentUs = this.newestSentAtUs - datagram.sentAtUs;
        if (extentUs > 0) this.reorderUs = Math.min(1e5, Math.max(this.reorderUs, 1.25 * extentUs));
      } else continue;
      this.acked++;
      datagram.state = "acked";
    }
    const last = Math.min(high, this.datagrams.size - 1);
    if (news > 0) this.newest = Math.max(this.newest, last);
    return { news, slots };
  }

  detectLoss(): { count: number; slots: number[] } {
    const late = this.open.filter(([number, { sentAtUs }]) =>
      number < this.newest && sentAtUs <= this.newestSentAtUs - this.reorderUs
    );
    return this.#lose(late);
  }

  abandon(): { count: number; slots: number[] } {
    return this.#lose(this.open);
  }

  #lose(datagrams: [number, Datagram][]): { count: number; slots: number[] } {
    for (const [, datagram] of datagrams) datagram.state = "lost";
    this.lost += datagrams.length;
    const slots = datagrams.map(([, { slot }]) => slot).filter((slot) => slot >= 0);
    return { count: datagrams.length, slots };
  }
}

class Pair {
  readonly flight = new InFlight();
  readonly model = new Model();
  readonly handedOut = new Set<number>();
  now = 1_000_000;

  run(op: Op): void {
    if (op.do === "wait") this.now += op.us;
    else if (op.do === "packet" || op.do === "control") this.#push(op.do === "packet", op.bytes);
    else if (op.do === "ack") this.#acknowledge(this.flight.next - op.back, op.run);
    else if (op.do === "detect") {
      const { count, slots } = this.model.detectLoss();
      assertEquals(this.#handled((handle) => this.flight.detectLoss(handle)), [count, slots]);
    } else {
      const { slots } = this.model.abandon();
      assertEquals(this.#handled((handle) => this.flight.abandon(handle))[1], slots);
    }
    this.#compare();
  }

  #push(packet: boolean, bytes: number): void {
    const number = this.flight.next;
    const idleCount = number >> 2;
    const slot = packet ? number : -1;
    this.model.datagrams.set(number, { state: "sent", slot, bytes, sentAtUs: this.now, idleCount });
    this.flight.push(this.now, slot, bytes, idleCount);
    assertEquals(this.flight.next, number + 1);
  }

  #acknowledge(low: number, run: number): void {
    const { news, slots } = this.model.acknowledge(low, low + run - 1);
    const ack = (handle: (slot: number) => void): number =>
      this.flight.acknowledge(low, low + run - 1, handle);
    assertEquals(this.#handled(ack), [news, slots]);
  }

  #handled<T>(act: (handle: (slot: number) => void) => T): [T, number[]] {
    const slots: number[] = [];
    const result = act((slot) => slots.push(slot));
    for (const slot of slots) {
      assert(!this.handedOut.has(slot), `slot ${slot} was handed out twice`);
      this.handedOut.add(slot);
    }
    return [result, slots];
  }

  #compare(): void {
    const { flight, model } = this;
    const packets = model.packets;
    assertEquals(flight.packets, packets.length);
    assertEquals(flight.bytes, packets.reduce((sum, { bytes }) => sum + bytes, 0));
    assertEquals(flight.oldestSentAtUs, packets[0]?.sentAtUs ?? Infinity);
    assertEquals([flight.ackedDatagrams, flight.lostDatagrams], [model.acked, model.lost]);
    assertEquals([flight.newestAcked, flight.newestAckedSentAtUs], [
      model.newest,
      model.newestSentAtUs,
    ]);
  }
}

const bytes = fc.integer({ min: 60, max: 1500 });
const op: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant("packet" as const), bytes }), weight: 6 },
  { arbitrary: fc.record({ do: fc.constant("control" as const), bytes }), weight: 2 },
  // also of numbers not yet sent, and below zero
  {
    arbitrary: fc.record({
      do: fc.constant("ack" as const),
      back: fc.integer({ min: -2, max: 30 }),
      run: fc.nat(8),
    }),
    weight: 5,
  },
  { arbitrary: fc.constant({ do: "detect" as const }), weight: 3 },
  { arbitrary: fc.constant({ do: "abandon" as const }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant("wait" as const), us: fc.nat(3_000) }), weight: 5 },
);

Deno.test("InFlight does what the obvious model does, and hands every slot out once", () => {
  fc.assert(fc.property(fc.array(op, { maxLength: 200, size: "max" }), (plan) => {
    const pair = new Pair();
    for (const step of plan) pair.run(step);
    for (const [number, { sentAtUs, idleCount }] of pair.model.datagrams) {
      assertEquals([pair.flight.sentAtUs(number), pair.flight.idleCount(number)], [
        sentAtUs,
        idleCount,
      ]);
    }
    pair.run({ do: "abandon" });
    const packets = [...pair.model.datagrams.values()].filter(({ slot }) => slot >= 0);
    assertEquals(pair.handedOut.size, packets.length);
  }));
});
