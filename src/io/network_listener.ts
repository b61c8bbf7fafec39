/**
 * What changes of the network mean for the links.
 *
 * Whatever is heard, the links are looked at, and what is different from the last look is told. One
 * look covers everything that was heard before it, and after each time that something was heard
 * there is a pause: a storm of messages costs a few looks.
 *
 * A change of an interface is looked at at once. One of addresses or routes only is looked at when
 * the pause ends: a DHCP client or a routing daemon may be about to put another in its place.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { LinkWay, NetworkWatch } from "../platform/platform.ts";

const log = getLogger(["aggvpn", "network"]);

/** Pause after each time that something was heard, in microseconds. */
export const PAUSE_US = 20_000;

/** How a link's way has changed. */
export interface WayChange {
  readonly link: number;
  /** Why nothing can leave, in words; undefined: it can. */
  readonly obstacle: string | undefined;
  /** Whether it leaves by another interface than the last time that it could. */
  readonly isElsewhere: boolean;
}

const NOTHING: readonly WayChange[] = [];

/** Listens, and remembers the ways of links. */
export class NetworkListener {
  readonly #watch: NetworkWatch;
  readonly #beforeLook: () => void;
  readonly #ways: LinkWay[];
  /** The interface by which each link could leave last; 0: it could not yet. */
  readonly #interfaces: number[];
  #pauseEndsAtUs = -Infinity;
  /** When to look at the links; Infinity: there was nothing to look at since the last time. */
  #lookAtUs: number;

  /**
   * @param links how many there are
   * @param beforeLook called before links are looked at: what they are may depend on the network too
   */
  constructor(watch: NetworkWatch, links: number, beforeLook: () => void = () => {}) {
    this.#watch = watch;
    this.#beforeLook = beforeLook;
    const ways = Array.from({ length: links }, (_, link) => watch.look(link));
    this.#interfaces = ways.map(({ obstacle, interface: index }) => obstacle ? 0 : index);
    // What is in the way from the beginning is told as if it had come since.
    this.#ways = ways.map((way) => ({ ...way, obstacle: undefined }));
    this.#lookAtUs = ways.some(({ obstacle }) => obstacle !== undefined) ? -Infinity : Infinity;
  }

  /** The link with a number is another one from now on, or there was none with it: it is looked at. */
  setLink(link: number): void {
    this.#ways[link] = { obstacle: undefined, interface: 0, mtu: 0 };
    this.#interfaces[link] = 0;
    this.#lookAtUs = -Infinity;
  }

  /** Readable while there is something to hear. */
  get fd(): number {
    return this.#watch.fd;
  }

  /** Whether to wait for something to hear; not while it pauses. */
  isListening(now: number): boolean {
    return now >= this.#pauseEndsAtUs;
  }

  /**
   * When to call {@linkcode handleTurn} although there is nothing to hear, or nobody waits for it;
   * Infinity: never, may be past.
   */
  timeoutAtUs(isWaitedFor: boolean): number {
    return isWaitedFor ? this.#lookAtUs : Math.min(this.#lookAtUs, this.#pauseEndsAtUs);
  }

  /**
   * Hears what there is if it is `readable`, and returns the links whose way is another than at the
   * last look.
   */
  handleTurn(now: number, readable: boolean): readonly WayChange[] {
    if (readable) this.#hear(now);
    if (now < this.#lookAtUs) return NOTHING;
    this.#lookAtUs = Infinity;
    this.#beforeLook();
    return this.#ways.flatMap((_, link) => this.#look(link) ?? []);
  }

  #hear(now: number): void {
    const { kinds, interfaces } = this.#watch.drain();
    this.#pauseEndsAtUs = now + PAUSE_US;
    if (kinds.size === 0) return;
    log.debug("The network has changed: {kinds}, interfaces {interfaces}", {
      kinds: [...kinds].join(", "),
      interfaces: [...interfaces].join(", "),
    });
    const isUrgent = kinds.has("interface") || kinds.has("lost");
    this.#lookAtUs = Math.min(this.#lookAtUs, isUrgent ? now : this.#pauseEndsAtUs);
  }

  #look(link: number): WayChange | undefined {
    const before = this.#ways[link]!;
    const way = this.#ways[link] = this.#watch.look(link);
    const { obstacle, interface: index } = way;
    if (obstacle !== undefined) {
      return obstacle === before.obstacle ? undefined : { link, obstacle, isElsewhere: false };
    }
    const last = this.#interfaces[link]!;
    if (index > 0) this.#interfaces[link] = index;
    const isElsewhere = last > 0 && index > 0 && last !== index;
    const isSame = before.obstacle === undefined && !isElsewhere && before.mtu === way.mtu;
    return isSame ? undefined : { link, obstacle, isElsewhere };
  }
}
