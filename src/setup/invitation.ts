/**
 * What a client has to know about its server, in one text that is copied from one to the other.
 *
 * `AGGJOIN1` and base 32 of: the length in bytes (2), the key (32), the client's name, the servers,
 * the addresses in the tunnel of both families, and a CRC-32 (4) of all that, numbers in network
 * order. A text begins with its length (1). A server is an address of 4 or 16 bytes or a name, as a
 * length and that, and a port (2). A family is the length of the network's prefix (1, 0: none),
 * the server's address, and of the client's the bytes that the prefix does not cover.
 *
 * @module
 */

import { Address, type Family, Prefix } from "../address.ts";
import type { HostPort } from "../config/config.ts";
import { isHostName } from "../config/host_port.ts";
import { MAX_SERVERS } from "../config/schema.ts";
import { KEY_BYTES } from "../config/secret.ts";
import { isName } from "../config/text_kinds.ts";
import { base32Length, formatBase32, parseBase32 } from "./base32.ts";
import { crc32 } from "./crc32.ts";

/** Everything a client needs to write its configuration. */
export interface Invitation {
  /** What the server calls the client. */
  readonly name: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Where to reach the server, the best way first. */
  readonly servers: readonly HostPort[];
  /** Addresses in the tunnel, at least one. */
  readonly families: readonly InvitedFamily[];
}

/** The addresses of one family. */
export interface InvitedFamily {
  /** The client's, with the prefix length of the tunnel's network. */
  readonly address: Prefix;
  /** The server's. */
  readonly gateway: Address;
}

/** An invitation, or what is wrong with a text; no message contains any of it. */
export type InvitationResult =
  | { readonly invitation: Invitation }
  | { readonly error: string; readonly hint: string };

const PREFIX = "AGGJOIN";
const VERSION = "1";
const LENGTH_BYTES = 2;
const CRC_BYTES = 4;
/** Digits that say how long it is. */
const LENGTH_DIGITS = base32Length(LENGTH_BYTES);

const AGAIN = "copy all of what `aggvpn init` or `aggvpn client add` printed";

/** Writes an invitation. */
export function formatInvitation({ name, key, servers, families }: Invitation): string {
  const body = [
    ...key,
    ...textBytes(name),
    servers.length,
    ...servers.flatMap(({ host, port }) => [
      ...host instanceof Address ? [0, host.bytes.length, ...host.bytes] : textBytes(host),
      port >> 8,
      port & 0xff,
    ]),
    ...([4, 6] as const).flatMap((family) => {
      const own = families.find(({ gateway }) => gateway.family === family);
      return own ? familyBytes(own) : [0];
    }),
  ];
  const length = LENGTH_BYTES + body.length + CRC_BYTES;
  const bytes = new Uint8Array(length);
  bytes.set([length >> 8, length & 0xff, ...body]);
  new DataView(bytes.buffer).setUint32(length - CRC_BYTES, crc32(bytes.subarray(0, -CRC_BYTES)));
  return PREFIX + VERSION + formatBase32(bytes);
}

/**
 * Reads an invitation, with spaces, line breaks, hyphens and quotes wherever they got into it.
 * Never throws.
 */
export function parseInvitation(text: string): InvitationResult {
  const bare = text.replaceAll(/[\s"'`\u200b\ufeff\u2010-\u2015-]/g, "");
  const written = bare.toUpperCase();
  if (bare === "") return { error: "the join string is empty", hint: AGAIN };
  if (!written.startsWith(PREFIX)) return { error: wrongStart(bare), hint: AGAIN };
  const version = written[PREFIX.length] ?? VERSION;
  if (version !== VERSION) {
    return {
      error: `the join string is of version ${version}, this program knows version ${VERSION}`,
      hint: "run the same version of aggvpn at both ends",
    };
  }
  return readDigits(written.slice(PREFIX.length + 1));
}

/**
 * Tells how many characters of a join string are missing at its end, if it is right so far: 0 when
 * it is complete, undefined when that cannot be told.
 */
export function missingDigits(text: string): number | undefined {
  const digits = text.replaceAll(/[\s-]/g, "").slice(PREFIX.length + 1);
  if (digits.length < LENGTH_DIGITS) return undefined;
  const length = lengthOf(digits);
  return length === undefined ? undefined : Math.max(0, base32Length(length) - digits.length);
}

function wrongStart(text: string): string {
  if (PREFIX.startsWith(text.toUpperCase())) return "the join string ends too early";
  if (text.startsWith("aggvpn1:")) return "this is a key, not a join string";
  return `this is no join string, which begins with ${PREFIX}`;
}

function readDigits(digits: string): InvitationResult {
  const result = parseBase32(digits);
  if ("wrong" in result) {
    const shown = /^[ -~]$/.test(result.wrong) ? ` "${result.wrong}"` : "";
    return { error: `the join string contains a character${shown} that none has`, hint: AGAIN };
  }
  const length = lengthOf(digits);
  if (length === undefined) return { error: "the join string ends too early", hint: AGAIN };
  const expected = base32Length(length);
  if (digits.length < expected) {
    const rest = expected - digits.length;
    return {
      error: `the join string ends too early: ${rest} of ${expected} characters are missing`,
      hint: AGAIN,
    };
  }
  const bytes = result.bytes.subarray(0, length);
  const isWhole = digits.length === expected && length > LENGTH_BYTES + CRC_BYTES &&
    new DataView(bytes.buffer).getUint32(length - CRC_BYTES) ===
      crc32(bytes.subarray(0, -CRC_BYTES));
  const invitation = isWhole
    ? readBody(new Reader(bytes.subarray(LENGTH_BYTES, -CRC_BYTES)))
    : undefined;
  if (invitation) return { invitation };
  const error = digits.length > expected
    ? "the join string goes on after its end, or a character of it is wrong"
    : "a character of the join string is wrong";
  return { error, hint: AGAIN };
}

function lengthOf(digits: string): number | undefined {
  const start = parseBase32(digits.slice(0, LENGTH_DIGITS));
  if ("wrong" in start || start.bytes.length < LENGTH_BYTES) return undefined;
  return start.bytes[0]! << 8 | start.bytes[1]!;
}

/** Reads numbers and bytes until there are none left. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next byte; 0 behind the end, where {@linkcode isAtEnd} is false from then on. */
  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  bytes(count: number): Uint8Array {
    this.#at += count;
    const bytes = new Uint8Array(count);
    bytes.set(this.#bytes.subarray(this.#at - count, this.#at));
    return bytes;
  }
}

function readBody(reader: Reader): Invitation | undefined {
  const key = reader.bytes(KEY_BYTES);
  const name = readText(reader);
  const count = reader.byte();
  if (!isName(name) || count < 1 || count > MAX_SERVERS) return undefined;
  const servers = Array.from({ length: count }, () => readServer(reader));
  const families = ([4, 6] as const).flatMap((family) => readFamily(reader, family));
  if (!reader.isAtEnd || families.length === 0) return undefined;
  const known = servers.filter((server) => server !== undefined);
  return known.length === count ? { name, key, servers: known, families } : undefined;
}

function readText(reader: Reader): string {
  return String.fromCharCode(...reader.bytes(reader.byte()));
}

function readServer(reader: Reader): HostPort | undefined {
  const length = reader.byte();
  const bytes = reader.bytes(length === 0 ? reader.byte() : length);
  const port = reader.byte() << 8 | reader.byte();
  const isAddress = length === 0 && (bytes.length === 4 || bytes.length === 16);
  const host = isAddress ? new Address(bytes) : String.fromCharCode(...bytes);
  const isHost = isAddress || length > 0 && isHostName(host as string);
  return isHost && port > 0 ? { host, port } : undefined;
}

function readFamily(reader: Reader, family: Family): InvitedFamily[] {
  const length = reader.byte();
  const size = family === 4 ? 4 : 16;
  if (length === 0 || length > 8 * size) return [];
  const gateway = reader.bytes(size);
  const address = gateway.slice();
  const from = length >> 3;
  address.set(reader.bytes(size - from), from);
  return [{ address: new Prefix(address, length), gateway: new Address(gateway) }];
}

function familyBytes({ address, gateway }: InvitedFamily): number[] {
  return [address.length, ...gateway.bytes, ...address.bytes.subarray(address.length >> 3)];
}

function textBytes(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}
