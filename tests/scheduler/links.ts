/**
 * Links as policies see them.
 *
 * @module
 */

import { Path, type PathOptions } from "../../src/links/path.ts";
import { FlowQueue } from "../../src/queue/flow_queue.ts";
import { remoteOf } from "../../src/remote.ts";
import type { Lane } from "../../src/scheduler/lane.ts";
import { PacketPool } from "../../src/slab.ts";

const MS = 1000;
const REMOTE = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);

/** The instant of the tests, in microseconds. */
export const NOW = 1_000_000;

/** What is known of a link. */
export interface Spec {
  /** One-way delay. */
  readonly owdMs: number;
  readonly tier?: PathOptions["tier"];
  /** Configured capacity. */
  readonly mbps?: number;
  readonly down?: true;
  /** Its capacity changes all the time. */
  readonly varies?: true;
}

/** The link number `id`. */
export function pathOf(
  { owdMs, tier = "primary", mbps = 8, down, varies }: Spec,
  id: number,
): Path {
  const uploadBps = mbps * 1e6;
  const options = { id, name: `l${id}`, tier, metered: false, uploadBps, timeoutUs: 750_000 };
  const path = new Path(options, 0, id, REMOTE);
  path.handleProbeAck(2 * owdMs * MS, path.nextProbe(0));
  path.owdWire = owdMs * MS;
  if (varies) {
    for (let i = 0; i < 3; i++) path.rate.handleSilence(0);
    path.rate.restart(0, 1);
  }
  if (down) path.live.handleUnreachable(NOW, "no route");
  return path;
}

/** The queue of a lane, and how packets of 1000 bytes get into it. */
export class Waiting implements Pick<Lane, "queue" | "usable"> {
  readonly pool = new PacketPool(256);
  readonly queue: FlowQueue;

  constructor(groups: number) {
    const enqueuedAtUs = new Float64Array(this.pool.count);
    this.queue = new FlowQueue(this.pool, 256, () => {}, () => false, enqueuedAtUs, groups);
  }

  /** Queues `count` packets of a flow. */
  push(now: number, bucket: number, count = 1): void {
    for (let i = 0; i < count; i++) {
      const slot = this.pool.alloc();
      this.pool.lengths[slot] = 1000;
      this.queue.push(now, slot, bucket);
    }
  }

  usable(path: Path): boolean {
    return path.live.state === "up";
  }
}
