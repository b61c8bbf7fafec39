/**
 * What recvmmsg(2) fills, and how it becomes a batch.
 *
 * The kernel joins datagrams of equal length from one sender (UDP_GRO, udp(7)), so each message has
 * room for the longest possible one, behind the slots of the batch. From there the datagrams are
 * copied into the slots, a batch at a time.
 *
 * A batch lives as long as the program, so headers, buffers and addresses are laid out at the
 * first use; per message only what the kernel overwrites is restored. Sockets that share a batch
 * take turns and share its structures.
 *
 * @module
 */

import { BATCH_DATAGRAMS, MESSAGE_BYTES, MESSAGES, type ReceiveBatch } from "../../batch.ts";
import { SLOT_BYTES } from "../../slab.ts";
import { EndpointRecords, NAME_WORDS } from "../endpoint_record.ts";
import { addressOf } from "../ffi.ts";
import {
  AF_INET,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  SO_RXQ_OVFL,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from "./constants.ts";
import {
  CMSG_DATA,
  CMSG_LEVEL,
  CMSG_TYPE,
  CONTROL,
  CONTROL_LENGTH,
  DATAGRAM_LENGTH,
  FLAGS,
  HEADER_WORDS,
  IOV,
  IOV_COUNT,
  IOVEC_LENGTH,
  IOVEC_WORDS,
  NAME,
  NAME_LENGTH,
  setAddress,
} from "./message_layout.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Room for control messages: IPV6_PKTINFO 40 bytes, SO_RXQ_OVFL and UDP_GRO 24, and to spare. */
const CONTROL_WORDS = 32;

/** What recvmmsg(2) fills. */
export class ReceiveMessages {
  /** Address of the first header. */
  readonly address: bigint;
  /** SO_RXQ_OVFL of the last message split: datagrams the socket dropped so far; -1 if unknown. */
  drops = -1;
  readonly #batch: ReceiveBatch;
  readonly #headers: Uint32Array<ArrayBuffer> = new Uint32Array(MESSAGES * HEADER_WORDS);
  readonly #buffers: Uint32Array<ArrayBuffer> = new Uint32Array(MESSAGES * IOVEC_WORDS);
  readonly #names: Uint32Array<ArrayBuffer> = new Uint32Array(MESSAGES * NAME_WORDS);
  readonly #control: Uint32Array<ArrayBuffer> = new Uint32Array(MESSAGES * CONTROL_WORDS);
  readonly #records: EndpointRecords;
  /** Messages that came, the one being taken apart, and where it continues. */
  #count = 0;
  #message = 0;
  #offset = 0;
  /** For that one: length of its datagrams, and the word its local address starts at, or -1. */
  #segment = MESSAGE_BYTES;
  #local = -1;

  constructor(batch: ReceiveBatch) {
    this.#batch = batch;
    this.#records = new EndpointRecords(batch.remotes, this.#names, this.#control);
    this.address = addressOf(this.#headers);
    const names = addressOf(this.#names);
    const control = addressOf(this.#control);
    const buffers = addressOf(this.#buffers);
    const room = addressOf(batch.slab.bytes) + BigInt(batch.slab.end);
    for (let i = 0; i < MESSAGES; i++) {
      const at = i * HEADER_WORDS;
      setAddress(this.#headers, at + NAME, names + BigInt(i * NAME_WORDS * 4));
      setAddress(this.#headers, at + CONTROL, control + BigInt(i * CONTROL_WORDS * 4));
      setAddress(this.#headers, at + IOV, buffers + BigInt(i * IOVEC_WORDS * 4));
      setAddress(this.#buffers, i * IOVEC_WORDS, room + BigInt(i * MESSAGE_BYTES));
      this.#headers[at + IOV_COUNT] = 1;
      this.#buffers[i * IOVEC_WORDS + IOVEC_LENGTH] = MESSAGE_BYTES;
      this.#arm(i);
    }
  }

  /** Whether {@linkcode split} has more to give. */
  get backlog(): boolean {
    return this.#message < this.#count;
  }

  /** recvmmsg(2) has filled the first `count` messages. */
  accept(count: number): void {
    this.drops = -1;
    this.#count = count;
    this.#message = 0;
    if (count > 0) this.#begin();
  }

  /** Fills the batch with the next datagrams of what came; returns how many. */
  split(): number {
    const { slab, lengths } = this.#batch;
    let count = 0;
    while (count < BATCH_DATAGRAMS && this.#message < this.#count) {
      const total = this.#headers[this.#message * HEADER_WORDS + DATAGRAM_LENGTH]!;
      const length = Math.min(this.#segment, total - this.#offset);
      const from = slab.end + this.#message * MESSAGE_BYTES + this.#offset;
      if (length <= SLOT_BYTES) slab.bytes.copyWithin(slab.at(count), from, from + length);
      lengths[count] = length <= SLOT_BYTES ? length : 0;
      this.#readRecord(count++);
      this.#offset += length;
      if (this.#offset >= total) this.#advance();
    }
    return this.#batch.count = count;
  }

  /** Goes on to the next message. */
  #advance(): void {
    this.#arm(this.#message++);
    if (this.#message < this.#count) this.#begin();
  }

  #begin(): void {
    this.#offset = 0;
    this.#segment = MESSAGE_BYTES;
    this.#local = this.#readControl(this.#message);
  }

  /** Restores what the kernel overwrites: the room there is, and the flags. */
  #arm(i: number): void {
    const header = i * HEADER_WORDS;
    this.#headers[header + NAME_LENGTH] = SOCKADDR_BYTES;
    this.#headers[header + CONTROL_LENGTH] = CONTROL_WORDS * 4;
    this.#headers[header + FLAGS] = 0;
  }

  /** Walks the control messages. Returns the word the local address starts at, or -1. */
  #readControl(i: number): number {
    const control = this.#control;
    let at = i * CONTROL_WORDS;
    const end = at + (this.#headers[i * HEADER_WORDS + CONTROL_LENGTH]! >> 2);
    let local = -1;
    while (at + CMSG_DATA < end) {
      const level = control[at + CMSG_LEVEL]!;
      const type = control[at + CMSG_TYPE]!;
      if (level === IPPROTO_IP && type === IP_PKTINFO) local = at + CMSG_DATA + 1;
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) local = at + CMSG_DATA;
      else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) this.drops = control[at + CMSG_DATA]!;
      else if (level === SOL_UDP && type === UDP_GRO) this.#setSegment(control[at + CMSG_DATA]!);
      // The length covers the header, so this always moves on; the next one is aligned to 8.
      at += Math.max(CMSG_DATA, (control[at]! + 7 >> 3) * 2);
    }
    return local;
  }

  #setSegment(length: number): void {
    if (length > 0) this.#segment = length;
  }

  /** Writes the endpoint record of `slot`. */
  #readRecord(slot: number): void {
    const name = this.#message * NAME_WORDS;
    this.#records.write(slot, (this.#names[name]! & 0xffff) === AF_INET, name, this.#local);
  }
}

const receiving = new WeakMap<ReceiveBatch, ReceiveMessages>();

/** Returns the structures of `batch`. */
export function receiveMessages(batch: ReceiveBatch): ReceiveMessages {
  let messages = receiving.get(batch);
  if (!messages) receiving.set(batch, messages = new ReceiveMessages(batch));
  return messages;
}
