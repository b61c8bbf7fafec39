import { assertEquals } from "@std/assert";
import type { Path } from "../../src/links/path.ts";
import { Duplicator } from "../../src/scheduler/duplicator.ts";
import { Lane } from "../../src/scheduler/lane.ts";
import { COPIES } from "../../src/scheduler/rules.ts";
import { PacketPool } from "../../src/slab.ts";
import { KIND, type Kind } from "../../src/wire/ip.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../src/wire/ip_layout.ts";
import { NOW, pathOf, type Spec } from "./links.ts";

const SECOND = 1_000_000;
const SOUND = { kind: KIND.interactive, protocol: PROTOCOL_UDP, bytes: 200 };
const PICTURE = { ...SOUND, bytes: 1200 };
const ACK = { kind: KIND.unordered, protocol: PROTOCOL_TCP, bytes: 60 };
const TRANSFER = { kind: KIND.bulk, protocol: PROTOCOL_TCP, bytes: 1200 };
type Packet = { readonly kind: Kind; readonly protocol: number; readonly bytes: number };

/** Its round trips have been the same for long. */
function settle({ rtt }: Path): void {
  for (let i = 0; i < 50; i++) rtt.sample(NOW, 20_000);
}

/** Two links; tells on which of them packets that leave on the first have a copy. */
class Copies {
  readonly paths: readonly Path[];
  now = NOW;
  readonly #pool = new PacketPool(4);
  readonly #kinds = {
    kind: new Uint8Array(4),
    copies: new Uint8Array(4).fill(COPIES.needed),
    isTcp: new Uint8Array(4),
  };
  readonly #lane: Lane;
  readonly #duplicator: Duplicator;
  #copies = 0;

  constructor(first: Spec, second: Spec) {
    this.paths = [pathOf(first, 0), pathOf(second, 1)];
    for (const path of this.paths) settle(path);
    this.#lane = new Lane(this.paths, 0, 8, {
      pool: this.#pool,
      limit: 4,
      onDrop: () => {},
      mark: () => false,
      enqueuedAtUs: new Float64Array(4),
    });
    const now = (): number => this.now;
    const out = {
      get now(): number {
        return now();
      },
      isFull: (): boolean => false,
      sendCopy: (): void => {
        this.#copies++;
      },
    };
    this.#duplicator = new Duplicator(this.#pool, { mayCopy: () => true }, this.#kinds, out, 2);
  }

  /** How many of `count` packets, 10 ms apart, have a copy. */
  of({ kind, protocol, bytes }: Packet, count = 10): number {
    const slot = this.#pool.alloc();
    this.#kinds.kind[slot] = kind;
    this.#kinds.isTcp[slot] = protocol === PROTOCOL_TCP ? 1 : 0;
    this.#pool.lengths[slot] = bytes;
    this.#copies = 0;
    for (let i = 0; i < count; i++) {
      this.now += 10_000;
      this.#duplicator.handleSent(this.#lane, this.paths[0]!, slot);
    }
    this.#pool.release(slot);
    return this.#copies;
  }
}

const steady: Spec = { owdMs: 10 };
const varying: Spec = { owdMs: 10, varies: true };

Deno.test("Duplicator copies what needs it while the first link varies", () => {
  const kinds = [SOUND, ACK, PICTURE];
  const copied = (first: Spec): number[] => kinds.map((kind) => new Copies(first, steady).of(kind));
  assertEquals(copied(steady), [0, 0, 0]);
  assertEquals(copied(varying), [10, 10, 0]);
});

Deno.test("Duplicator copies a call to a slow link too, and no acknowledgements", () => {
  const slow: Spec = { owdMs: 20, mbps: 1 };
  assertEquals(new Copies(varying, slow).of(SOUND, 100), 100);
  assertEquals(new Copies(varying, slow).of(ACK, 100), 0);
});

Deno.test("Duplicator copies a call while a link is restless that has little to do", () => {
  const copies = new Copies(steady, steady);
  const [first] = copies.paths;
  assertEquals(copies.of(SOUND), 0);
  first!.rtt.sample(copies.now, 60_000);
  assertEquals(copies.of(SOUND), 10);
  settle(first!);
  assertEquals(copies.of(SOUND), 10); // it is remembered for a while
  assertEquals(copies.of(ACK), 0);
  copies.now += 11 * SECOND;
  assertEquals(copies.of(SOUND), 0);
});

Deno.test("Duplicator takes jitter for that of a transfer while there is one", () => {
  const copies = new Copies(steady, steady);
  copies.paths[0]!.rtt.sample(copies.now, 60_000);
  copies.of(TRANSFER, 1);
  assertEquals(copies.of(SOUND), 0);
});
