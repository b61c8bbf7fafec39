/**
 * Where the other end of a path is, in a form that is the same on every system.
 *
 * An endpoint record has 40 bytes: `family 1 | 0 1 | port 2 | remote 16 | local
 * 16 | scope 4`, integers big-endian. The family is 4 or 6; an IPv4 address
 * occupies the first 4 of 16 bytes. `local` is the address of this host that
 * the datagram was sent to, or zeros when the socket is bound to one.
 *
 * @module
 */

import { Address, type Family, familyOf } from "./address.ts";

/** Bytes of one endpoint record. */
export const REMOTE_BYTES = 40;

/** An immutable remote endpoint; a path that roams gets another one. */
export class Remote {
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** Copies the record at `offset` of `records`. */
  constructor(records: Uint8Array, offset = 0) {
    this.bytes = records.slice(offset, offset + REMOTE_BYTES) as Uint8Array<ArrayBuffer>;
  }

  /** Address family. */
  get family(): Family {
    return this.bytes[0] === 4 ? 4 : 6;
  }

  /** Tells whether the record at `offset` of `records` is this endpoint. */
  equals(records: Uint8Array, offset = 0): boolean {
    const mine = this.bytes;
    for (let i = 0; i < REMOTE_BYTES; i++) if (mine[i] !== records[offset + i]) return false;
    return true;
  }

  /** Without its zone. */
  get address(): Address {
    return new Address(this.bytes.subarray(4, this.family === 4 ? 8 : 20));
  }

  get port(): number {
    return this.bytes[2]! << 8 | this.bytes[3]!;
  }

  /** The address and port as people write them: `192.0.2.1:5080`, `[2001:db8::1]:5080`. */
  toString(): string {
    return this.address.withPort(this.port);
  }
}

/** Makes a {@linkcode Remote} from address bytes (4 or 16) and a port. */
export function remoteOf(address: Uint8Array, port: number, scope = 0): Remote {
  const record = new Uint8Array(REMOTE_BYTES);
  record[0] = familyOf(address);
  record[2] = port >> 8;
  record[3] = port;
  record.set(address, 4);
  new DataView(record.buffer).setUint32(36, scope);
  return new Remote(record);
}
