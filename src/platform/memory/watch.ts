/**
 * Changes of a network in memory, which a test makes.
 *
 * @module
 */

import type { LinkWay, NetworkChange, NetworkKind, NetworkWatch } from "../platform.ts";

/** The way of a link about which nothing was said. */
const PLAIN_WAY: LinkWay = { obstacle: undefined, interface: 1, mtu: 1500 };

/** Hears what {@linkcode tell} says. */
export class MemoryWatch implements NetworkWatch {
  readonly #wayOf: (link: number) => LinkWay | undefined;
  #kinds = new Set<NetworkKind>();
  #interfaces = new Set<number>();
  isOpen = true;

  /** @param wayOf the way of a link by its number */
  constructor(readonly fd: number, wayOf: (link: number) => LinkWay | undefined) {
    this.#wayOf = wayOf;
  }

  get isReadable(): boolean {
    return this.#kinds.size > 0;
  }

  /** Something of this kind has changed at an interface; 0: at none in particular. */
  tell(kind: NetworkKind, index: number): void {
    this.#kinds.add(kind);
    if (index > 0) this.#interfaces.add(index);
  }

  drain(): NetworkChange {
    const change = { kinds: this.#kinds, interfaces: this.#interfaces };
    this.#kinds = new Set();
    this.#interfaces = new Set();
    return change;
  }

  look(link: number): LinkWay {
    return this.#wayOf(link) ?? PLAIN_WAY;
  }

  close(): void {
    this.isOpen = false;
  }
}
