/**
 * Memory behind the pointers that the code under test hands to C.
 *
 * @module
 */

/** What a parameter of type "buffer" may be. */
export type Buffer = ArrayBuffer | ArrayBufferView | SharedArrayBuffer | null;

/** Returns the bytes of a buffer; they are the caller's own. */
export function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  if (buffer === null) throw new Error("NULL where the kernel reads memory");
  if (!ArrayBuffer.isView(buffer)) return new Uint8Array(buffer as ArrayBuffer);
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

/** Returns `length` bytes at an address; they are the caller's own. */
export function bytesAt(address: bigint, length: number): Uint8Array<ArrayBuffer> {
  if (length === 0) return new Uint8Array(0);
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new Error("NULL where the kernel reads memory");
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
}

/** Returns the text of a C string, which must end within the buffer. */
export function textOf(buffer: Buffer): string {
  const bytes = bytesOf(buffer);
  const end = bytes.indexOf(0);
  if (end < 0) throw new Error("A C string without a NUL");
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** A structure in memory, little-endian, its members found by offset. */
export class Struct {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }

  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Throws when a byte from `start` to `end` is not zero: padding says nothing. */
  expectZero(start: number, end: number, what: string): void {
    if (this.bytes.subarray(start, end).some((byte) => byte !== 0)) {
      throw new Error(`${what}: padding is not zero: ${hex(this.bytes.subarray(start, end))}`);
    }
  }
}

/** Writes bytes as hexadecimal digits in groups of four. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex().replace(/.{8}(?=.)/g, "$& ");
}
