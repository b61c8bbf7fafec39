/**
 * A peer that has real keys and no manners: it makes a session with the server of
 * a pair and then sends any frames it likes.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { AeadKey } from "../../src/crypto/aead.ts";
import { Initiator, type LinkOffer, type SessionKeys, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import { type Remote, remoteOf } from "../../src/remote.ts";
import { DatagramSlab, PacketPool } from "../../src/slab.ts";
import {
  OUTER_HEADER_BYTES,
  readCounterLow,
  readDatagramType,
  readLinkId,
  readReceiverId,
  TAG_BYTES,
  TRANSPORT_TYPE,
  writeTransportHeader,
} from "../../src/wire/datagram.ts";
import { writeU32, writeU64 } from "../../src/wire/field.ts";
import {
  FRAME,
  FRAME_HEADER_BYTES,
  readFrameType,
  readProbeNumber,
  readProbeSentAt,
} from "../../src/wire/frame.ts";
import { HANDSHAKE_TYPE } from "../../src/wire/handshake.ts";
import { prefix } from "../addresses.ts";
import { type ClientSpec, Pair } from "../pair/pair.ts";
import { SIM_AEAD } from "../pair/sim_aead.ts";
import { probeAck } from "./frames.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const MALLORY_PSK = new Uint8Array(32).fill(0xbb);
const MALLORY: Remote = remoteOf(Uint8Array.of(203, 0, 113, 66), 6666);
const ALICE: ClientSpec = {
  name: "alice",
  psk: new Uint8Array(32).fill(0xaa),
  allowed: [prefix("10.7.0.1/32")],
};
/** The inner address that the raw client may use. */
export const MALLORY_ADDRESS = "10.7.0.66";

/** A datagram that the server sent to the raw client. */
interface Received {
  readonly link: number;
  readonly counter: number;
  readonly frames: Uint8Array;
}

/** Options of one handshake. */
export interface HandshakeOptions {
  readonly links?: number;
  readonly sessionId?: number;
  readonly name?: string;
  /** What its links are called, instead. */
  readonly names?: readonly string[];
}

/** The raw client, connected to the server of a pair in which alice is connected too. */
export class RawClient {
  readonly pair: Pair;
  sessionId = 0;
  /** The server's id of the session. */
  remoteId = 0;
  links = 0;
  /** TRANSPORT datagrams that the server sent to this client, opened. */
  readonly received: Received[] = [];
  responses: Uint8Array[] = [];
  #counters: number[] = [];
  #highest: number[] = [];
  #sendKey!: AeadKey;
  #receiveKey!: AeadKey;
  #attempts = 0;
  #exchanged = 0;
  readonly #plain = new PacketPool(1);
  readonly #sealed = new DatagramSlab(1);

  constructor(options: HandshakeOptions & { slots?: number } = {}) {
    const known = [
      { name: "alice", psk: ALICE.psk!, allowed: ALICE.allowed! },
      {
        name: "mallory",
        psk: MALLORY_PSK,
        allowed: [prefix(`${MALLORY_ADDRESS}/32`)],
      },
    ];
    this.pair = new Pair([ALICE], { known, slots: options.slots ?? 4096 }).connect();
    this.pair.onStray = (_to, _socket, bytes): void => this.#handle(bytes);
    this.handshake(options);
  }

  /** Makes a new session and confirms it on each of its links. */
  handshake(options: HandshakeOptions = {}): void {
    this.begin(options);
    for (const link of range(0, this.links)) this.send(link, [0, 0, 0]);
    this.answerProbes();
  }

  /** Makes a new session and does not confirm it. */
  begin(options: HandshakeOptions = {}): void {
    const { links = 1, sessionId = 0x4d4d_4d00, name = "m" } = options;
    const names = options.names ?? range(0, links).map((id) => `${name}${id}`);
    this.sessionId = sessionId;
    this.links = links;
    const initiator = this.#initiator(links, sessionId, names);
    this.responses = [];
    this.pair.server.receive(this.pair.now, 0, MALLORY, initiator.init(0));
    const connected = initiator.handleResponse(this.responses[0] ?? new Uint8Array());
    assert(connected, "the server does not answer");
    this.#adopt(connected.remoteSessionId, connected.keys);
  }

  /** Seals frames into the next datagram of a link. */
  seal(link: number, ...frames: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
    const body = Uint8Array.from(frames.flatMap((frame) => [...frame]));
    const counter = this.#counters[link]!++;
    const header = new Uint8Array(14);
    writeTransportHeader(header, 0, link, this.remoteId, counter);
    this.#plain.bytes.set(body, this.#plain.bodyOffset);
    const nonce = nonceOf(link, counter);
    this.#sendKey.seal(nonce, header, this.#plain, 0, body.length, this.#sealed, 0);
    this.#sealed.bytes.set(header.subarray(0, OUTER_HEADER_BYTES));
    return this.#sealed.bytes.slice(0, OUTER_HEADER_BYTES + body.length + TAG_BYTES);
  }

  /** Sends frames on a link. */
  send(link: number, ...frames: readonly (readonly number[] | Uint8Array)[]): void {
    this.deliver(this.seal(link, ...frames));
  }

  /** Hands sealed datagrams to the server, as many at a time as its socket takes. */
  deliver(...datagrams: readonly Uint8Array[]): void {
    this.pair.server.receive(this.pair.now, 0, MALLORY, ...datagrams);
  }

  /** The same as from any address: the sender of a datagram can write what he likes there. */
  deliverFrom(from: Remote, ...datagrams: readonly Uint8Array[]): void {
    this.pair.server.receive(this.pair.now, 0, from, ...datagrams);
  }

  /** The next datagrams of a link have higher counters: some are missing for the server. */
  skip(link: number, count = 1): void {
    this.#counters[link]! += count;
  }

  /** Answers every probe of the server so far: its links come up and stay so. */
  answerProbes(): void {
    this.pair.run(1_000);
    for (const { link, frames } of this.received.splice(0)) {
      if (readFrameType(frames, 0) !== FRAME.probe) continue;
      const at = FRAME_HEADER_BYTES;
      this.send(link, probeAck(readProbeNumber(frames, at), readProbeSentAt(frames, at)));
    }
  }

  /** Next counter that the server will use on a link, as far as is known here. */
  serverCounter(link: number): number {
    return (this.#highest[link] ?? -1) + 1;
  }

  /** Asserts that alice notices nothing: packets both ways, in order, all of them. */
  assertOthersServed(): void {
    const { pair } = this;
    const from = this.#exchanged;
    this.#exchanged += 40;
    for (const i of range(from, this.#exchanged)) {
      pair.client.send(pair.now, udp4(i, { from: "10.7.0.1" }));
      pair.server.send(pair.now, udp4(i, { to: "10.7.0.1", from: "10.7.0.254" }));
      pair.run(2_000);
    }
    pair.run(100_000);
    const fromAlice = pair.server.delivered.filter((packet) => packet[15] === 1);
    assertEquals(numbersOf(fromAlice).slice(from), range(from, this.#exchanged));
    assertEquals(numbersOf(pair.client.delivered).slice(from), range(from, this.#exchanged));
    assertEquals(pair.client.eventsOf("session"), ["up"]);
  }

  #initiator(links: number, sessionId: number, names: readonly string[]): Initiator {
    const secret = new Uint8Array(32).fill(++this.#attempts % 250 + 1);
    return new Initiator(derivePsk(MALLORY_PSK), secret, sessionId, {
      timestamp: tai64n(this.#attempts * 1_000_000),
      version: 1,
      features: 1,
      mtu: 1400,
      links: range(0, links).map((id): LinkOffer => ({
        id,
        tier: "primary",
        metered: false,
        uploadBps: 0,
        downloadBps: 0,
        name: names[id]!,
      })),
    });
  }

  #adopt(remoteId: number, keys: SessionKeys): void {
    this.remoteId = remoteId;
    this.#sendKey = SIM_AEAD.importKey("aes256gcm", keys.sendKey);
    this.#receiveKey = SIM_AEAD.importKey("aes256gcm", keys.receiveKey);
    this.#counters = new Array(this.links).fill(0);
    this.received.length = 0;
    this.#highest = [];
  }

  #handle(bytes: Uint8Array): void {
    const type = readDatagramType(bytes, 0);
    if (type === HANDSHAKE_TYPE.response) this.responses.push(bytes.slice());
    if (type !== TRANSPORT_TYPE || readReceiverId(bytes, 0) !== this.sessionId) return;
    const [link, counter] = [readLinkId(bytes, 0), readCounterLow(bytes, 0)];
    const header = new Uint8Array(14);
    header.set(bytes.subarray(0, OUTER_HEADER_BYTES));
    this.#sealed.bytes.set(bytes);
    const length = bytes.length - OUTER_HEADER_BYTES - TAG_BYTES;
    const nonce = nonceOf(link, counter);
    if (!this.#receiveKey.open(nonce, header, this.#sealed, 0, length, this.#plain, 0)) return;
    this.#highest[link] = Math.max(this.#highest[link] ?? -1, counter);
    const at = this.#plain.bodyOffset;
    this.received.push({ link, counter, frames: this.#plain.bytes.slice(at, at + length) });
  }
}

function nonceOf(link: number, counter: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  writeU32(nonce, 0, link);
  writeU64(nonce, 4, counter);
  return nonce;
}
