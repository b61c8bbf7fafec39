/**
 * IP addresses as text.
 *
 * @module
 */

/** An address of either family. */
export interface Address {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Interface that a link-local address belongs to, as in `fe80::1%eth0`. */
  readonly zone?: string;
}

/** Reads an IPv4 or IPv6 address (RFC 4291 section 2.2, zone as in RFC 4007 section 11). */
export function parseAddress(text: string): Address | undefined {
  const [address = "", zone, ...rest] = text.split("%");
  const bytes = address.includes(":") ? parseIpv6(address) : parseIpv4(address);
  if (!bytes || rest.length > 0) return undefined;
  if (zone === undefined) return { bytes };
  return bytes.length === 16 && zone !== "" ? { bytes, zone } : undefined;
}

/** Tells whether every byte is zero: the wildcard address of its family. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Tells whether an IPv6 address needs an interface: fe80::/10 (RFC 4291 section 2.5.6). */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  // A leading zero would be octal to inet_aton(3): refuse what is read in two ways.
  const valid = (part: string): boolean => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  return parts.length === 4 && parts.every(valid) ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Reads colon-separated groups; `last` allows an IPv4 address at the end. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const ipv4 = last && i === groups.length - 1 ? parseIpv4(group) : undefined;
    if (ipv4) bytes.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}
