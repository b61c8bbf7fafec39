/**
 * Both ends of a tunnel in one process and in virtual time, joined without sockets:
 * what one appends to a batch the other is handed, as it is. The pair itself
 * allocates nothing, so what the heap shows is the core's.
 *
 *     server: packets of one TCP flow  ==== links ====>  client
 *     server   <==== links ====   an acknowledgement for every fourth  :client
 *
 * @module
 */

import { type ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import type { AeadProvider } from "../../src/crypto/aead.ts";
import { type Remote, REMOTE_BYTES, remoteOf } from "../../src/remote.ts";
import { PacketPool } from "../../src/slab.ts";
import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { EndpointOptions, LinkOptions } from "../../src/tunnel/options.ts";
import { Rng } from "../../tests/pair/rng.ts";
import { ACK_BYTES, putPacket, tcpHeaders } from "./packets.ts";
import { BATCH, START_US } from "./stage.ts";

const POOL_SLOTS = 8192;
const PSK_BYTES = 32;
const EPOCH_US = 1_767_225_600_000_000;
const MTU = 1400;
/** Wide enough that no packet waits for the pacer. */
const CAPACITY_BPS = 20e9;
/** Virtual time of a step, in microseconds: 7.2 Gbit/s of 1400-byte packets. */
const STEP_US = 100;
const CONNECT_US = 2_000_000;
/** A packet of the client for so many of the server. */
const PACKETS_PER_ACK = 4;

/** One end and what surrounds it. */
class End {
  readonly pool = new PacketPool(POOL_SLOTS);
  readonly endpoint: Endpoint;
  /** Packets that came out of it. */
  delivered = 0;
  readonly batches: readonly TransmitBatch[];
  /** The same memory, as the other end sees it; by socket. */
  readonly #seen: readonly ReceiveBatch[];
  readonly #slots = new Int32Array(BATCH);

  constructor(
    remotes: readonly Remote[],
    optionsOf: (pool: PacketPool) => EndpointOptions,
  ) {
    this.endpoint = new Endpoint(optionsOf(this.pool));
    this.batches = remotes.map(() => new TransmitBatch());
    this.#seen = this.batches.map(({ slab, lengths }, socket) => {
      const records = new Uint8Array(BATCH * REMOTE_BYTES);
      for (let i = 0; i < BATCH; i++) records.set(remotes[socket]!.bytes, i * REMOTE_BYTES);
      return { slab, lengths, remotes: records, count: 0, messages: 1 };
    });
  }

  /** Hands the endpoint `count` packets. */
  send(now: number, headers: Uint8Array, sizeBytes: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[i] = this.pool.alloc();
      if (slot < 0) throw new Error("Nothing is acknowledged");
      putPacket(this.pool, slot, headers, sizeBytes);
    }
    this.endpoint.handlePackets(now, this.#slots, count);
  }

  /** Acts on a deadline, then gives everything there is to `other`. */
  turn(now: number, other: End): void {
    if (now >= this.endpoint.pollTimeout()) this.endpoint.handleTimeout(now);
    for (let more = true; more;) {
      more = this.endpoint.pollTransmit(now, this.batches);
      for (let socket = 0; socket < this.batches.length; socket++) {
        const batch = this.batches[socket]!;
        if (batch.count === 0) continue;
        const seen = this.#seen[socket]!;
        seen.count = batch.count;
        other.endpoint.handleDatagrams(now, socket, seen);
        other.#deliver(now);
        batch.count = 0;
      }
    }
    while (this.endpoint.pollEvent() !== undefined);
  }

  #deliver(now: number): void {
    for (let count = BATCH; count === BATCH;) {
      count = this.endpoint.pollPackets(now, this.#slots);
      for (let i = 0; i < count; i++) this.pool.release(this.#slots[i]!);
      this.delivered += count;
    }
  }
}

/** A client and a server with a session. */
export class CorePair {
  readonly #client: End;
  readonly #server: End;
  readonly #data: Uint8Array;
  readonly #ack = tcpHeaders(ACK_BYTES, 0);
  #now = START_US;
  readonly #sizeBytes: number;

  constructor(aead: AeadProvider, links: number, sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    const rng = new Rng(1);
    const common = {
      aead,
      random: (out: Uint8Array): void => rng.fill(out),
      epochUs: EPOCH_US,
      mtu: MTU,
    };
    const psk = (): Uint8Array => new Uint8Array(PSK_BYTES).fill(0x5a);
    const servers = Array.from({ length: links }, (_, i) => serverRemote(i));
    const clients = Array.from({ length: links }, (_, i) => clientRemote(i));
    this.#client = new End(clients, (pool) => ({
      ...common,
      pool,
      role: "client",
      psk: psk(),
      links: servers.map(linkTo),
    }));
    this.#server = new End(servers, (pool) => ({
      ...common,
      pool,
      role: "server",
      clients: [{ name: "client", psk: psk(), allowed: [] }],
    }));
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
    this.#server.turn(this.#now, this.#client);
    this.#client.turn(this.#now, this.#server);
  }
}

/** Packets that {@linkcode CorePair.step} moves, both ways together. */
export const PACKETS_PER_STEP: number = BATCH + BATCH / PACKETS_PER_ACK;

function serverRemote(socket: number): Remote {
  return remoteOf(Uint8Array.of(192, 0, 2, 1), 5080 + socket);
}

function clientRemote(socket: number): Remote {
  return remoteOf(Uint8Array.of(198, 51, 100, socket + 1), 40_000);
}

function linkTo(remote: Remote, id: number): LinkOptions {
  return {
    name: `link${id}`,
    remote,
    tier: "primary",
    metered: false,
    uploadBps: CAPACITY_BPS,
    downloadBps: CAPACITY_BPS,
    timeoutUs: 750_000,
  };
}
