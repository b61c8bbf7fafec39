/**
 * The structures behind recvmmsg(2) and sendmmsg(2), made once for each batch.
 *
 * A batch lives as long as the program, so its headers, buffers and addresses are
 * laid out at the first use; per datagram only lengths and what has changed are
 * written. Sockets that share a batch take turns and share its structures.
 *
 * The numbers below are in words of 4 bytes because that is how memory is accessed. Addresses have
 * two, and so has the length of an iovec, whose upper half stays 0.
 *
 * @module
 */

import { BATCH_DATAGRAMS, type ReceiveBatch, type TransmitBatch } from "../../batch.ts";
import type { Remote } from "../../remote.ts";
import { SLOT_BYTES } from "../../slab.ts";
import { EndpointRecords, NAME_WORDS } from "../endpoint_record.ts";
import { addressOf, addressWords, slotAddresses } from "../ffi.ts";
import {
  AF_INET,
  IP_RECVDSTADDR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  MSG_TRUNC,
} from "./constants.ts";
import { Destination } from "./sockaddr.ts";
import * as structures from "./structures.ts";

const HEADER_WORDS = structures.MMSGHDR_BYTES / 4;
const NAME = structures.MSGHDR_NAME / 4;
const NAME_LENGTH = structures.MSGHDR_NAMELEN / 4;
const IOV = structures.MSGHDR_IOV / 4;
const IOV_COUNT = structures.MSGHDR_IOVLEN / 4;
const CONTROL = structures.MSGHDR_CONTROL / 4;
const CONTROL_LENGTH = structures.MSGHDR_CONTROLLEN / 4;
const FLAGS = structures.MSGHDR_FLAGS / 4;
const DATAGRAM_LENGTH = structures.MMSGHDR_LEN / 4;

const IOVEC_WORDS = structures.IOVEC_BYTES / 4;
const IOVEC_BASE = structures.IOVEC_BASE / 4;
const IOVEC_LENGTH = structures.IOVEC_LEN / 4;

/** Where the family is in the first word of a socket address (little-endian). */
const FAMILY_SHIFT = structures.SOCKADDR_IN_FAMILY * 8;
/** Room for control messages: the largest, and as much again to spare. */
const CONTROL_WORDS = structures.controlSpace(structures.IN6_PKTINFO_BYTES) / 2;
const CMSG_LENGTH = structures.CMSGHDR_LEN / 4;
const CMSG_LEVEL = structures.CMSGHDR_LEVEL / 4;
const CMSG_TYPE = structures.CMSGHDR_TYPE / 4;
const CMSG_DATA = structures.CMSG_DATA / 4;

/** Headers with one buffer each: the slots of `batch`. */
class Messages {
  readonly headers: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * HEADER_WORDS);
  readonly buffers: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * IOVEC_WORDS);
  /** Address of each header: of the mmsghdr, and of the msghdr it begins with. */
  readonly addresses: readonly bigint[];

  constructor(batch: ReceiveBatch | TransmitBatch) {
    const base = addressOf(this.headers);
    const buffers = addressOf(this.buffers);
    const slots = slotAddresses(batch.slab, 0);
    this.addresses = Array.from(
      { length: BATCH_DATAGRAMS },
      (_, i) => base + BigInt(i * HEADER_WORDS * 4),
    );
    for (let i = 0; i < BATCH_DATAGRAMS; i++) {
      const header = i * HEADER_WORDS;
      setAddress(this.buffers, i * IOVEC_WORDS + IOVEC_BASE, slots[i]!);
      setAddress(this.headers, header + IOV, buffers + BigInt(i * IOVEC_WORDS * 4));
      this.headers[header + IOV_COUNT] = 1;
    }
  }
}

/** What recvmmsg(2) fills. */
export class ReceiveMessages extends Messages {
  readonly #batch: ReceiveBatch;
  readonly #names: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * NAME_WORDS);
  readonly #control: Uint32Array<ArrayBuffer> = new Uint32Array(BATCH_DATAGRAMS * CONTROL_WORDS);
  readonly #records: EndpointRecords;

  constructor(batch: ReceiveBatch) {
    super(batch);
    this.#batch = batch;
    this.#records = new EndpointRecords(batch.remotes, this.#names, this.#control);
    const names = addressOf(this.#names);
    const control = addressOf(this.#control);
    for (let i = 0; i < BATCH_DATAGRAMS; i++) {
      setAddress(this.headers, i * HEADER_WORDS + NAME, names + BigInt(i * NAME_WORDS * 4));
      setAddress(this.headers, i * HEADER_WORDS + CONTROL, control + BigInt(i * CONTROL_WORDS * 4));
      this.buffers[i * IOVEC_WORDS + IOVEC_LENGTH] = SLOT_BYTES;
      this.#arm(i);
    }
  }

  /** Notes the length of datagram `i`, as recvmmsg(2) would: for recvmsg(2). */
  setLength(i: number, length: number): void {
    this.headers[i * HEADER_WORDS + DATAGRAM_LENGTH] = length;
  }

  /** Reads what the kernel said of the first `count` datagrams into the batch. */
  finish(count: number): void {
    const { headers } = this;
    const { lengths } = this.#batch;
    for (let i = 0; i < count; i++) {
      const header = i * HEADER_WORDS;
      const truncated = (headers[header + FLAGS]! & MSG_TRUNC) !== 0;
      lengths[i] = truncated ? 0 : headers[header + DATAGRAM_LENGTH]!;
      this.#readRecord(i, this.#findLocal(i));
      this.#arm(i);
    }
    this.#batch.count = count;
  }

  /** Restores what the kernel reads and overwrites: the room there is. Flags it only writes. */
  #arm(i: number): void {
    const header = i * HEADER_WORDS;
    this.headers[header + NAME_LENGTH] = structures.SOCKADDR_IN6_BYTES;
    this.headers[header + CONTROL_LENGTH] = CONTROL_WORDS * 4;
  }

  /** Walks the control messages. Returns the word the local address starts at, or -1. */
  #findLocal(i: number): number {
    const control = this.#control;
    let at = i * CONTROL_WORDS;
    const end = at + (this.headers[i * HEADER_WORDS + CONTROL_LENGTH]! >> 2);
    while (at + CMSG_DATA < end) {
      const level = control[at + CMSG_LEVEL]!;
      const type = control[at + CMSG_TYPE]!;
      if (level === IPPROTO_IP && type === IP_RECVDSTADDR) return at + CMSG_DATA;
      if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) return at + CMSG_DATA;
      // The length covers the header, so this always moves on; the next one is aligned to 8.
      at += Math.max(CMSG_DATA, (control[at + CMSG_LENGTH]! + 7 >>> 3) * 2);
    }
    return -1;
  }

  /** Writes the endpoint record of slot `i`. */
  #readRecord(i: number, local: number): void {
    const name = i * NAME_WORDS;
    const ipv4 = (this.#names[name]! >>> FAMILY_SHIFT & 0xff) === AF_INET;
    this.#records.write(i, ipv4, name, local);
  }
}

/** What sendmmsg(2) reads. */
export class TransmitMessages extends Messages {
  readonly #batch: TransmitBatch;
  /** Keeps alive what the headers point to. */
  readonly #destinations: (Destination | undefined)[] = new Array(BATCH_DATAGRAMS).fill(undefined);
  readonly #remotes: (Remote | undefined)[] = new Array(BATCH_DATAGRAMS).fill(undefined);

  constructor(batch: TransmitBatch) {
    super(batch);
    this.#batch = batch;
  }

  /** Fills in lengths and destinations of the datagrams from `first` to the batch's last. */
  prepare(first: number): void {
    const { count, lengths, remotes } = this.#batch;
    for (let i = first; i < count; i++) {
      this.buffers[i * IOVEC_WORDS + IOVEC_LENGTH] = lengths[i]!;
      const remote = remotes[i]!;
      if (remote !== this.#remotes[i]) this.#setDestination(i, remote);
    }
  }

  #setDestination(i: number, remote: Remote): void {
    const destination = destinationOf(remote);
    const { headers } = this;
    const header = i * HEADER_WORDS;
    headers[header + NAME] = destination.name.low;
    headers[header + NAME + 1] = destination.name.high;
    headers[header + NAME_LENGTH] = destination.nameBytes;
    headers[header + CONTROL] = destination.control.low;
    headers[header + CONTROL + 1] = destination.control.high;
    headers[header + CONTROL_LENGTH] = destination.controlBytes;
    this.#destinations[i] = destination;
    this.#remotes[i] = remote;
  }
}

const receiving = new WeakMap<ReceiveBatch, ReceiveMessages>();
const transmitting = new WeakMap<TransmitBatch, TransmitMessages>();
const destinations = new WeakMap<Remote, Destination>();

/** Returns the structures of `batch`. */
export function receiveMessages(batch: ReceiveBatch): ReceiveMessages {
  let messages = receiving.get(batch);
  if (!messages) receiving.set(batch, messages = new ReceiveMessages(batch));
  return messages;
}

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

function setAddress(words: Uint32Array, at: number, address: bigint): void {
  const { low, high } = addressWords(address);
  words[at] = low;
  words[at + 1] = high;
}
