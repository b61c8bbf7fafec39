/**
 * CRC-32 of ISO 3309, as in gzip (RFC 1952 section 8): finds typing errors, not attacks.
 *
 * @module
 */

const POLYNOMIAL = 0xedb88320;

/** Returns the checksum of bytes, a 32-bit number without sign. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
