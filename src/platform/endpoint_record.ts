/**
 * Endpoint records (`src/remote.ts`) of what a socket received. Systems differ in where a socket
 * address names its family; port and addresses stand in the same places.
 *
 * @module
 */

/**
 * Writes the endpoint record at `to` of `records`: the remote end from the
 * socket address at `at` of `names`, the local end from the address at
 * `localAt` of `control` (none when `localAt` is negative).
 */
export function writeEndpointRecord(
  ipv4: boolean,
  names: Uint8Array,
  at: number,
  control: Uint8Array,
  localAt: number,
  records: Uint8Array,
  to: number,
): void {
  const size = ipv4 ? 4 : 16;
  const from = at + (ipv4 ? 4 : 8);
  records.fill(0, to, to + 40);
  records[to] = ipv4 ? 4 : 6;
  records[to + 2] = names[at + 2]!;
  records[to + 3] = names[at + 3]!;
  for (let i = 0; i < size; i++) records[to + 4 + i] = names[from + i]!;
  if (localAt >= 0) { for (let i = 0; i < size; i++) records[to + 20 + i] = control[localAt + i]!; }
  if (!ipv4) { for (let i = 0; i < 4; i++) records[to + 36 + i] = names[at + 27 - i]!; }
}
