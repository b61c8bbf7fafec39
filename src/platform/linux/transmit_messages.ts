/**
 * What sendmmsg(2) reads: the datagrams of a batch, in trains.
 *
 * A *train* is a run of datagrams of equal length to one remote end, the last of which may be
 * shorter. It goes to the kernel as one message with a buffer for each datagram and the length to
 * cut the message at (UDP_SEGMENT, udp(7)): the way down the network stack, which costs more than
 * encryption, is taken once for all of them.
 *
 * A batch lives as long as the program, so its structures are laid out at the first use; per
 * datagram only its length is written, per train what has changed.
 *
 * @module
 */

import { BATCH_DATAGRAMS, type TransmitBatch } from "../../batch.ts";
import type { Remote } from "../../remote.ts";
import { addressOf, slotAddresses } from "../ffi.ts";
import { SOL_UDP, UDP_SEGMENT } from "./constants.ts";
import {
  CMSG_DATA,
  CMSG_LEVEL,
  CMSG_TYPE,
  CONTROL,
  CONTROL_LENGTH,
  HEADER_WORDS,
  IOV,
  IOV_COUNT,
  IOVEC_LENGTH,
  IOVEC_WORDS,
  NAME,
  NAME_LENGTH,
  setAddress,
} from "./message_layout.ts";
import { CMSG_HEADER_BYTES, Destination } from "./sockaddr.ts";

/** Most datagrams of a train: UDP_MAX_SEGMENTS of kernels before 6.9. */
export const MAX_TRAIN = 64;
/** Most bytes of a train: what one UDP datagram over IPv4 could hold. */
const MAX_TRAIN_BYTES = 65_507;
/** Words of control messages: the source address (IPV6_PKTINFO 10), then the segment length. */
const CONTROL_WORDS = 16;
/** Bytes of struct cmsghdr with a u16, as it counts itself and as it occupies. */
const SEGMENT_CMSG_BYTES: number = CMSG_HEADER_BYTES + 2;
const SEGMENT_CMSG_SPACE: number = CMSG_HEADER_BYTES + 8;

/** The messages of one batch. */
export class TransmitMessages {
  /** Messages that {@linkcode prepare} made. */
  count = 0;
  /** Datagrams of each message. */
  readonly trains: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH_DATAGRAMS);
  /** Address of the first header. */
  readonly address: bigint;

  readonly #batch: TransmitBatch;
  readonly #headers: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * HEADER_WORDS);
  readonly #buffers: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * IOVEC_WORDS);
  /** The address of each buffer, as words. */
  readonly #bufferAddresses: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * 2);
  readonly #control: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * CONTROL_WORDS);
  /** Remote end of each header, and where the control message of its segment length starts. */
  readonly #remotes: (Remote | undefined)[] = new Array(BATCH_DATAGRAMS).fill(undefined);
  readonly #segmentAt: Uint16Array<ArrayBuffer> = new Uint16Array(BATCH_DATAGRAMS);
  /** Keeps alive what the headers point to. */
  readonly #destinations: (Destination | undefined)[] = new Array(BATCH_DATAGRAMS).fill(undefined);

  constructor(batch: TransmitBatch) {
    this.#batch = batch;
    this.address = addressOf(this.#headers);
    const buffers = addressOf(this.#buffers);
    const control = addressOf(this.#control);
    const slots = slotAddresses(batch.slab, 0);
    for (const [i, slot] of slots.entries()) {
      const at = i * HEADER_WORDS;
      setAddress(this.#buffers, i * IOVEC_WORDS, slot);
      setAddress(this.#bufferAddresses, i * 2, buffers + BigInt(i * IOVEC_WORDS * 4));
      setAddress(this.#headers, at + CONTROL, control + BigInt(i * CONTROL_WORDS * 4));
    }
  }

  /** Makes messages from the datagrams `first` to the batch's last, with at most `most` in each. */
  prepare(first: number, most: number): void {
    const { count, lengths } = this.#batch;
    const buffers = this.#buffers;
    let messages = 0;
    for (let at = first; at < count; messages++) {
      const train = this.#trainAt(at, most);
      for (let i = at; i < at + train; i++) buffers[i * IOVEC_WORDS + IOVEC_LENGTH] = lengths[i]!;
      this.#writeHeader(messages, at, train);
      at += train;
    }
    this.count = messages;
  }

  /** Datagrams of the train that starts with datagram `first`. */
  #trainAt(first: number, most: number): number {
    const { count, lengths, remotes } = this.#batch;
    const length = lengths[first]!;
    const remote = remotes[first]!;
    const end = Math.min(count, first + most);
    let bytes = length;
    let next = first + 1;
    while (next < end && remotes[next] === remote && lengths[next]! <= length) {
      bytes += lengths[next]!;
      if (bytes > MAX_TRAIN_BYTES) break;
      if (lengths[next++]! < length) break;
    }
    return next - first;
  }

  #writeHeader(message: number, first: number, train: number): void {
    const header = message * HEADER_WORDS;
    const remote = this.#batch.remotes[first]!;
    if (remote !== this.#remotes[message]) this.#setDestination(message, remote);
    this.#headers[header + IOV] = this.#bufferAddresses[first * 2]!;
    this.#headers[header + IOV + 1] = this.#bufferAddresses[first * 2 + 1]!;
    this.#headers[header + IOV_COUNT] = train;
    this.trains[message] = train;
    let controlBytes = this.#segmentAt[message]! * 4;
    if (train > 1) {
      const at = message * CONTROL_WORDS + this.#segmentAt[message]!;
      this.#control[at + CMSG_DATA] = this.#batch.lengths[first]!;
      controlBytes += SEGMENT_CMSG_SPACE;
    }
    this.#headers[header + CONTROL_LENGTH] = controlBytes;
  }

  #setDestination(message: number, remote: Remote): void {
    const destination = destinationOf(remote);
    const header = message * HEADER_WORDS;
    this.#headers[header + NAME] = destination.name.low;
    this.#headers[header + NAME + 1] = destination.name.high;
    this.#headers[header + NAME_LENGTH] = destination.nameBytes;
    const at = message * CONTROL_WORDS;
    this.#control.set(destination.control, at);
    const segmentAt = this.#segmentAt[message] = destination.control.length;
    this.#control[at + segmentAt] = SEGMENT_CMSG_BYTES;
    this.#control[at + segmentAt + 1] = 0;
    this.#control[at + segmentAt + CMSG_LEVEL] = SOL_UDP;
    this.#control[at + segmentAt + CMSG_TYPE] = UDP_SEGMENT;
    this.#destinations[message] = destination;
    this.#remotes[message] = remote;
  }
}

const transmitting = new WeakMap<TransmitBatch, TransmitMessages>();
const destinations = new WeakMap<Remote, Destination>();

/** Returns the structures of `batch`. */
export function transmitMessages(batch: TransmitBatch): TransmitMessages {
  let messages = transmitting.get(batch);
  if (!messages) transmitting.set(batch, messages = new TransmitMessages(batch));
  return messages;
}

function destinationOf(remote: Remote): Destination {
  let destination = destinations.get(remote);
  if (!destination) destinations.set(remote, destination = new Destination(remote));
  return destination;
}
