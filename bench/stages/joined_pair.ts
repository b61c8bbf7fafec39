/**
 * Both ends of a tunnel in one process and in virtual time, joined without lines: what one
 * appends to a batch the other is handed, as it is. Nothing between them allocates,
 * so what the heap shows is the core's.
 *
 *     server: packets of one TCP flow  ==== links ====>  client
 *     server   <==== links ====   an acknowledgement for every fourth  :client
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import type { AeadProvider } from "../../src/crypto/aead.ts";
import { type Remote, REMOTE_BYTES, remoteOf } from "../../src/remote.ts";
import type { PacketPool } from "../../src/slab.ts";
import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { EndpointOptions } from "../../src/tunnel/options.ts";
import { End } from "../../tests/pair/end.ts";
import {
  clientEnd,
  knownClient,
  linkTo,
  serverEnd,
  sharedOptions,
} from "../../tests/pair/endpoints.ts";
import { Rng } from "../../tests/pair/rng.ts";
import { ACK_BYTES, putPacket, tcpHeaders } from "./packets.ts";
import { BATCH, START_US } from "./stage.ts";

const POOL_SLOTS = 8192;
/** Wide enough that no packet waits for the pacer. */
const CAPACITY_BPS = 20e9;
/** Virtual time of a step, in microseconds: 7.2 Gbit/s of 1400-byte packets. */
const STEP_US = 100;
const CONNECT_US = 2_000_000;
/** The client sends a packet for every so many of the server's. */
const PACKETS_PER_ACK = 4;

/** One end, joined to the other. */
class JoinedEnd extends End<Endpoint> {
  readonly endpoint: Endpoint;
  /** Packets that came out of it. */
  delivered = 0;
  #other!: JoinedEnd;
  /** What it sends, in the same memory, as the other end sees it; by socket. */
  readonly #seen: readonly ReceiveBatch[];

  /** @param remotes who it is to the other end, by socket */
  constructor(remotes: readonly Remote[], optionsOf: (pool: PacketPool) => EndpointOptions) {
    super(remotes.length, POOL_SLOTS);
    this.endpoint = new Endpoint(optionsOf(this.pool));
    this.#seen = this.batches.map(({ slab, lengths }, socket) => {
      const records = new Uint8Array(BATCH * REMOTE_BYTES);
      for (let i = 0; i < BATCH; i++) records.set(remotes[socket]!.bytes, i * REMOTE_BYTES);
      return { slab, lengths, remotes: records, count: 0, messages: 1 };
    });
  }

  join(other: JoinedEnd): void {
    this.#other = other;
    other.#other = this;
  }

  /** Hands the endpoint `count` packets. */
  send(now: number, headers: Uint8Array, sizeBytes: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = this.slots[i] = this.pool.alloc();
      if (slot < 0) throw new Error("Nothing is acknowledged");
      putPacket(this.pool, slot, headers, sizeBytes);
    }
    this.endpoint.handlePackets(now, this.slots, count);
  }

  /** Acts on a deadline, then gives everything there is to the other end. */
  override turn(now: number): void {
    this.handleDeadline(now);
    this.transmit(now);
    this.pollEvents(now);
  }

  protected override onDatagrams(now: number, socket: number, batch: TransmitBatch): void {
    const seen = this.#seen[socket]!;
    seen.count = batch.count;
    const other = this.#other;
    other.endpoint.handleDatagrams(now, socket, seen);
    while (other.deliver(now) === BATCH);
  }

  protected override onPackets(_now: number, _slots: Int32Array, count: number): void {
    this.delivered += count;
  }

  protected override onEvent(): void {
    // Nobody asks what has happened.
  }
}

/** A client and a server with a session, and nothing between them. */
export class JoinedPair {
  readonly #client: JoinedEnd;
  readonly #server: JoinedEnd;
  readonly #data: Uint8Array;
  readonly #ack = tcpHeaders(ACK_BYTES, 0);
  #now = START_US;
  readonly #sizeBytes: number;

  constructor(aead: AeadProvider, links: number, sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    const shared = sharedOptions(new Rng(1), { aead });
    const servers = Array.from({ length: links }, (_, i) => serverRemote(i));
    const clients = Array.from({ length: links }, (_, i) => clientRemote(i));
    const capacity = { uploadBps: CAPACITY_BPS, downloadBps: CAPACITY_BPS };
    const options = servers.map((remote, id) => linkTo(`link${id}`, remote, capacity));
    this.#client = new JoinedEnd(clients, (pool) => clientEnd(shared, pool, options));
    this.#server = new JoinedEnd(
      servers,
      (pool) => serverEnd(shared, pool, [knownClient("client")]),
    );
    this.#client.join(this.#server);
    this.#data = tcpHeaders(sizeBytes, 0);
    for (const end = START_US + CONNECT_US; this.#now < end;) this.#step(0);
    this.#step(BATCH);
    if (this.delivered === 0) throw new Error("The pair does not connect");
  }

  /** Packets that came out at either end. */
  get delivered(): number {
    return this.#client.delivered + this.#server.delivered;
  }

  /** One batch of the server's packets and what answers it. */
  step(): void {
    this.#step(BATCH);
  }

  #step(packets: number): void {
    this.#now += STEP_US;
    if (packets > 0) {
      this.#server.send(this.#now, this.#data, this.#sizeBytes, packets);
      this.#client.send(this.#now, this.#ack, ACK_BYTES, packets / PACKETS_PER_ACK);
    }
    this.#server.turn(this.#now);
    this.#client.turn(this.#now);
  }
}

/** Packets that {@linkcode JoinedPair.step} moves, both ways together. */
export const PACKETS_PER_STEP: number = BATCH + BATCH / PACKETS_PER_ACK;

function serverRemote(socket: number): Remote {
  return remoteOf(Uint8Array.of(192, 0, 2, 1), 5080 + socket);
}

function clientRemote(socket: number): Remote {
  return remoteOf(Uint8Array.of(198, 51, 100, socket + 1), 40_000);
}
