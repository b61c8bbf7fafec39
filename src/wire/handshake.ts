/**
 * Handshake datagrams: the clear headers, and the payloads that travel sealed
 * inside the Noise messages. Normative text: docs/protocol.md, "Handshake".
 *
 * ```text
 * INIT      type=1 1 | link id 1 | sender session id 4 | key hint 8 | Noise message 1 | mac 16
 * RESPONSE  type=2 1 | link id 1 | receiver session id 4 | sender session id 4 | Noise message 2 | mac 16
 * COOKIE    type=3 1 | link id 1 | receiver session id 4 | nonce 16 | sealed cookie 16 | tag 16
 * PROVEN    type=5 1 | ... as an INIT ... | mac 16 | proof 16
 * ```
 *
 * @module
 */

import { plainName } from "../name.ts";
import { readU16, readU32, writeU16, writeU32 } from "./field.ts";

/** Types of handshake datagrams. The numbers are on the wire: never reuse one. */
export const HANDSHAKE_TYPE = { init: 1, response: 2, cookie: 3, proven: 5 } as const;
/** Tells whether `type` is that of a handshake datagram. */
export function isHandshakeType(type: number): boolean {
  return type >= 1 && type <= 5 && type !== 4;
}
/** Bytes of the clear header of an INIT. */
export const INIT_HEADER_BYTES = 14;
/** Bytes of the clear header of a RESPONSE. */
export const RESPONSE_HEADER_BYTES = 10;
/** Bytes of a key hint: which pre-shared key the initiator has. */
export const HINT_BYTES = 8;
/** Bytes of the MAC that ends both datagrams. */
export const MAC_BYTES = 16;
/** Bytes of a cookie, of the nonce it is sealed with, and of a proof made with it. */
export const COOKIE_BYTES = 16;
/** Bytes of a COOKIE; fewer than any INIT. */
export const COOKIE_DATAGRAM_BYTES = 54;
/** What a Noise message adds to its payload, in bytes: ephemeral key 32, tag 16. */
export const NOISE_OVERHEAD_BYTES = 48;
/** Longest INIT in bytes; with any headers it fits the smallest IPv6 MTU (1280). */
export const MAX_INIT_BYTES = 1200;
/** Bytes of a TAI64N time stamp. */
export const TIMESTAMP_BYTES = 12;
/** Longest link name in bytes of UTF-8. */
export const MAX_NAME_BYTES = 32;

const LINK = 1;
/** INIT: the sender's session id, then the hint. RESPONSE: the receiver's id, then the sender's. */
const FIRST_SESSION = 2;
/** Where the hint of an INIT begins. */
export const INIT_HINT = 6;
const SECOND_SESSION = 6;

const INIT_PREFIX_BYTES = TIMESTAMP_BYTES + 8;
const LINK_BYTES = 12;
const RESPONSE_PAYLOAD_BYTES = 8;
const MAX_INIT_PAYLOAD_BYTES = MAX_INIT_BYTES - INIT_HEADER_BYTES - NOISE_OVERHEAD_BYTES -
  MAC_BYTES;

/** Bytes of the shortest INIT. */
export const MIN_INIT_BYTES = INIT_HEADER_BYTES + NOISE_OVERHEAD_BYTES + INIT_PREFIX_BYTES +
  MAC_BYTES;
/** Bytes of a RESPONSE of this version; fewer than any INIT, so that no answer amplifies. */
export const RESPONSE_BYTES = RESPONSE_HEADER_BYTES + NOISE_OVERHEAD_BYTES +
  RESPONSE_PAYLOAD_BYTES + MAC_BYTES;
/** How many links one INIT can list; more are left out. */
export const MAX_OFFERED_LINKS = Math.floor(
  (MAX_INIT_PAYLOAD_BYTES - INIT_PREFIX_BYTES) / LINK_BYTES,
);

/** When a link is used; the positions are on the wire. */
export const TIERS = ["primary", "overflow", "backup"] as const;
/** Name of a tier. */
export type Tier = typeof TIERS[number];
/** ... of a link as it is now: "last" is a backup behind all others, which only a LINK can say. */
export type LinkTier = Tier | "last";

/** Bits of the features word. Unknown bits are ignored. */
export const FEATURE = {
  hardwareAes: 1,
  /** Understands headers that are compressed. */
  headerCompression: 2,
  /** A responder that answers FILL and ADDRESS. */
  measurement: 4,
  /** A responder whose initiator may change its links in one instance. */
  changingLinks: 8,
} as const;

/** The features word of this program, on a host whose AES runs `inHardware` or not. */
export function featuresOf(inHardware: boolean): number {
  const { headerCompression, changingLinks, hardwareAes } = FEATURE;
  return headerCompression | changingLinks | (inHardware ? hardwareAes : 0);
}

const METERED = 1;
const SPARE = 2;

/** A link as the initiator describes it. */
export interface LinkOffer {
  /** 0 to 255, unique among the links. */
  id: number;
  tier: Tier;
  metered: boolean;
  /** Whether it is a place for a link that may come later, with a name of its own. */
  spare?: boolean;
  /** What the initiator can send, in bit/s, 0 for unknown; rounded up to a kbit/s. */
  uploadBps: number;
  /** What the initiator can receive, in bit/s, 0 for unknown; rounded up to a kbit/s. */
  downloadBps: number;
  /** For people; truncated to {@linkcode MAX_NAME_BYTES}, may arrive empty. */
  name: string;
}

/** What the initiator says about itself. */
export interface InitPayload {
  /** TAI64N, {@linkcode TIMESTAMP_BYTES}: later stamps compare greater bytewise. */
  timestamp: Uint8Array;
  /** Protocol version. */
  version: number;
  /** Bits of {@linkcode FEATURE}. */
  features: number;
  /** Largest inner packet the sender accepts, in bytes. */
  mtu: number;
  links: LinkOffer[];
}

/** What the responder says about itself, the cipher by its number. */
export interface RawResponsePayload {
  version: number;
  features: number;
  cipher: number;
  mtu: number;
}

/** Writes the clear header of an INIT into the first bytes of `out`. */
export function writeInitHeader(
  out: Uint8Array,
  linkId: number,
  sessionId: number,
  hint: Uint8Array,
  type: number = HANDSHAKE_TYPE.init,
): void {
  out[0] = type;
  out[LINK] = linkId;
  writeU32(out, FIRST_SESSION, sessionId);
  out.set(hint, INIT_HINT);
}

/** Writes the clear header of a RESPONSE into the first bytes of `out`. */
export function writeResponseHeader(
  out: Uint8Array,
  linkId: number,
  receiverId: number,
  senderId: number,
): void {
  out[0] = HANDSHAKE_TYPE.response;
  out[LINK] = linkId;
  writeU32(out, FIRST_SESSION, receiverId);
  writeU32(out, SECOND_SESSION, senderId);
}

/** Tells whether type and length are those of an INIT, or of the part of a PROVEN that is one. */
export function isInit(datagram: Uint8Array): boolean {
  const type = datagram[0];
  const isCall = type === HANDSHAKE_TYPE.init || type === HANDSHAKE_TYPE.proven;
  return isCall && datagram.length >= MIN_INIT_BYTES &&
    datagram.length <= MAX_INIT_BYTES;
}

/** Tells whether type and length are those of a RESPONSE. */
export function isResponse(datagram: Uint8Array): boolean {
  return datagram[0] === HANDSHAKE_TYPE.response && datagram.length >= RESPONSE_BYTES &&
    datagram.length <= MAX_INIT_BYTES;
}

/** The clear header of an INIT. */
export interface InitHeader {
  readonly linkId: number;
  /** The one by which the initiator will know the session. */
  readonly sessionId: number;
  /** {@linkcode HINT_BYTES}. */
  readonly hint: Uint8Array;
}

/** Parses the clear header of an INIT; `undefined` when type or length are wrong. */
export function parseInitHeader(datagram: Uint8Array): InitHeader | undefined {
  if (!isInit(datagram)) return undefined;
  return {
    linkId: datagram[LINK]!,
    sessionId: readU32(datagram, FIRST_SESSION),
    hint: datagram.slice(INIT_HINT, INIT_HINT + HINT_BYTES),
  };
}

/** The parts of a PROVEN; an INIT is all of its own call, and has no proof. Views. */
export interface Call {
  readonly init: Uint8Array;
  readonly proof: Uint8Array | undefined;
}

/** Tells an INIT from the proof behind it. Says nothing about whether it is one. */
export function splitProof(datagram: Uint8Array): Call {
  if (datagram[0] !== HANDSHAKE_TYPE.proven) return { init: datagram, proof: undefined };
  const end = Math.max(0, datagram.length - COOKIE_BYTES);
  return { init: datagram.subarray(0, end), proof: datagram.subarray(end) };
}

/** A parsed COOKIE; views. */
export interface CookieParts {
  readonly linkId: number;
  /** The initiator's session id. */
  readonly receiverId: number;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
  readonly tag: Uint8Array;
}

const NONCE = 6;
/** Where the sealed cookie and the tag of a COOKIE begin. */
export const COOKIE_SEALED = NONCE + COOKIE_BYTES;
export const COOKIE_TAG = COOKIE_SEALED + COOKIE_BYTES;

/** Writes a COOKIE without what is sealed, and without the tag. */
export function writeCookie(parts: Omit<CookieParts, "sealed" | "tag">): Uint8Array {
  const out = new Uint8Array(COOKIE_DATAGRAM_BYTES);
  out[0] = HANDSHAKE_TYPE.cookie;
  out[LINK] = parts.linkId;
  writeU32(out, FIRST_SESSION, parts.receiverId);
  out.set(parts.nonce, NONCE);
  return out;
}

/** Parses a COOKIE; `undefined` when type or length are wrong. */
export function parseCookie(datagram: Uint8Array): CookieParts | undefined {
  if (datagram[0] !== HANDSHAKE_TYPE.cookie || datagram.length < COOKIE_DATAGRAM_BYTES) {
    return undefined;
  }
  return {
    linkId: datagram[LINK]!,
    receiverId: readU32(datagram, FIRST_SESSION),
    nonce: datagram.subarray(NONCE, COOKIE_SEALED),
    sealed: datagram.subarray(COOKIE_SEALED, COOKIE_TAG),
    tag: datagram.subarray(COOKIE_TAG, COOKIE_DATAGRAM_BYTES),
  };
}

/** Session ids of a RESPONSE. */
export interface ResponseHeader {
  /** The initiator's. */
  readonly receiverId: number;
  /** The responder's. */
  readonly senderId: number;
}

/** Parses the clear header of a RESPONSE; `undefined` when type or length are wrong. */
export function parseResponseHeader(datagram: Uint8Array): ResponseHeader | undefined {
  if (!isResponse(datagram)) return undefined;
  return {
    receiverId: readU32(datagram, FIRST_SESSION),
    senderId: readU32(datagram, SECOND_SESSION),
  };
}

/** Returns the Noise message of an INIT, which is the same on every link; a view. */
export function initMessage(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(INIT_HEADER_BYTES, datagram.length - MAC_BYTES);
}

/** Returns the Noise message of a RESPONSE; a view. */
export function responseMessage(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(RESPONSE_HEADER_BYTES, datagram.length - MAC_BYTES);
}

/**
 * Writes the payload of an INIT. Links beyond {@linkcode MAX_OFFERED_LINKS} are
 * left out; when the names do not fit, those of the last links become empty.
 */
export function writeInitPayload(payload: InitPayload): Uint8Array {
  const links = payload.links.slice(0, MAX_OFFERED_LINKS);
  const names = fittingNames(links);
  const out = new Uint8Array(INIT_PREFIX_BYTES + links.length * LINK_BYTES + totalBytes(names));
  out.set(payload.timestamp);
  out[12] = payload.version;
  writeU32(out, 13, payload.features);
  writeU16(out, 17, payload.mtu);
  out[19] = links.length;
  let at = INIT_PREFIX_BYTES;
  links.forEach((link, i) => at = writeLink(out, at, link, names[i]!));
  return out;
}

function fittingNames(links: readonly LinkOffer[]): Uint8Array[] {
  const names = links.map((link) => encodeName(link.name));
  let excess = INIT_PREFIX_BYTES + links.length * LINK_BYTES + totalBytes(names) -
    MAX_INIT_PAYLOAD_BYTES;
  for (let i = names.length - 1; excess > 0; i--) {
    excess -= names[i]!.length;
    names[i] = new Uint8Array();
  }
  return names;
}

function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Returns a name as it is sent: `encodeInto` stops before a character that does not fit whole. */
export function encodeName(name: string): Uint8Array {
  const out = new Uint8Array(MAX_NAME_BYTES);
  return out.subarray(0, new TextEncoder().encodeInto(name, out).written);
}

function writeLink(out: Uint8Array, at: number, link: LinkOffer, name: Uint8Array): number {
  out[at] = link.id;
  out[at + 1] = TIERS.indexOf(link.tier);
  out[at + 2] = (link.metered ? METERED : 0) | (link.spare ? SPARE : 0);
  writeU32(out, at + 3, kilobits(link.uploadBps));
  writeU32(out, at + 7, kilobits(link.downloadBps));
  out[at + 11] = name.length;
  out.set(name, at + LINK_BYTES);
  return at + LINK_BYTES + name.length;
}

/** Rounds up, so that a known capacity does not become "unknown". */
function kilobits(bps: number): number {
  return Math.min(Math.ceil(bps / 1000), 0xffff_ffff);
}

/**
 * Parses the payload of an INIT; `undefined` when it is malformed. Bytes after the last link belong
 * to later versions and are ignored. Never throws.
 */
export function parseInitPayload(bytes: Uint8Array): InitPayload | undefined {
  if (bytes.length < INIT_PREFIX_BYTES) return undefined;
  const links = parseLinks(bytes, bytes[19]!);
  if (!links) return undefined;
  return {
    timestamp: bytes.slice(0, TIMESTAMP_BYTES),
    version: bytes[12]!,
    features: readU32(bytes, 13),
    mtu: readU16(bytes, 17),
    links,
  };
}

function parseLinks(bytes: Uint8Array, count: number): LinkOffer[] | undefined {
  const links: LinkOffer[] = [];
  let at = INIT_PREFIX_BYTES;
  for (let i = 0; i < count; i++) {
    const link = parseLink(bytes, at);
    if (!link || links.some((other) => other.id === link.id)) return undefined;
    links.push(link);
    at += LINK_BYTES + bytes[at + 11]!;
  }
  return links;
}

function parseLink(bytes: Uint8Array, at: number): LinkOffer | undefined {
  if (at + LINK_BYTES > bytes.length) return undefined;
  const tier = TIERS[bytes[at + 1]!];
  const name = parseName(bytes, at + LINK_BYTES, bytes[at + 11]!);
  if (tier === undefined || name === undefined) return undefined;
  return {
    id: bytes[at]!,
    tier,
    metered: (bytes[at + 2]! & METERED) !== 0,
    ...(bytes[at + 2]! & SPARE) !== 0 && { spare: true },
    uploadBps: readU32(bytes, at + 3) * 1000,
    downloadBps: readU32(bytes, at + 7) * 1000,
    name,
  };
}

/** Returns a name of `length` bytes, made plain ({@linkcode plainName}); undefined: too long. */
export function parseName(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length > MAX_NAME_BYTES || at + length > bytes.length) return undefined;
  return plainName(new TextDecoder().decode(bytes.subarray(at, at + length)));
}

/** Writes the payload of a RESPONSE. */
export function writeResponsePayload(payload: RawResponsePayload): Uint8Array {
  const out = new Uint8Array(RESPONSE_PAYLOAD_BYTES);
  out[0] = payload.version;
  writeU32(out, 1, payload.features);
  out[5] = payload.cipher;
  writeU16(out, 6, payload.mtu);
  return out;
}

/** Parses the payload of a RESPONSE; `undefined` when it is too short. */
export function parseResponsePayload(bytes: Uint8Array): RawResponsePayload | undefined {
  if (bytes.length < RESPONSE_PAYLOAD_BYTES) return undefined;
  return {
    version: bytes[0]!,
    features: readU32(bytes, 1),
    cipher: bytes[5]!,
    mtu: readU16(bytes, 6),
  };
}
