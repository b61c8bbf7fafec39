/**
 * Which link leaves by which interface, where the configuration leaves that open: `interface` with
 * a pattern, and `links = "auto"`.
 *
 * A link keeps its interface while that can be used. One that has lost it takes the best of those
 * that match and that no other link has; so do spare ones, which are there for interfaces that
 * nobody named.
 *
 * @module
 */

import type { ClientModeConfig, LinkConfig } from "../config/config.ts";
import { wayOf } from "../config/ways.ts";
import { isPattern, matchesPattern } from "../pattern.ts";
import type { HostInterface } from "../platform/platform.ts";

/** How good an interface is for a link: it is there, it has a carrier and an address. */
const USABLE = 2;

/** Interfaces that probably cost by the byte: modems, and phones that are tethered by USB. */
const METERED_NAMES: readonly string[] = ["ww*", "usb*", "rmnet*"];

/** Whether traffic by an interface of this name probably costs money. */
export function isProbablyMetered(name: string): boolean {
  return METERED_NAMES.some((pattern) => matchesPattern(pattern, name));
}

/** Tells whether the interface of a link depends on which ones there are. */
export function isOpenLink({ interface: name, options }: LinkConfig): boolean {
  return options.spare === true || isPattern(name ?? "");
}

/** Says that a system has no `links`, and what to do about it. */
export function noAutoLinks(os: string): string {
  return `links = "auto" is not possible on ${os}, where a routing domain makes a link`;
}
export const NO_AUTO_LINKS_HINT = "Write a table [link.NAME] with rdomain for each uplink.";

/**
 * Returns what the socket of a link is bound to, when the interface that was chosen for it is
 * `name`: while there is none, what can never be opened.
 */
export function interfaceOf(link: LinkConfig, name: string | undefined): string | undefined {
  if (!isOpenLink(link)) return wayOf(link, "device");
  return name ?? link.interface ?? "";
}

/** Returns the links that there are, each with its interface; what a pattern waits for keeps it. */
export function presentLinks(
  links: readonly LinkConfig[],
  interfaces: LinkInterfaces,
): LinkConfig[] {
  return links.flatMap((link, i) => {
    const name = interfaces.nameOf(i);
    if (!isOpenLink(link)) return [link];
    if (!link.options.spare) return [name === undefined ? link : { ...link, interface: name }];
    if (name === undefined) return [];
    const options = { ...link.options, metered: isProbablyMetered(name) };
    return [{ ...link, name, interface: name, options }];
  });
}

/** Returns what chooses for the links of a client; nothing is chosen yet. */
export function linkInterfacesOf(
  config: ClientModeConfig,
): LinkInterfaces {
  return new LinkInterfaces(config.links, excludedBy(config));
}

/** Returns patterns of the interfaces that are no links by themselves. */
export function excludedBy({ linksExclude = [], tunnel }: ClientModeConfig): string[] {
  return [...linksExclude, ...tunnel.interface === undefined ? [] : [tunnel.interface]];
}

/** Chooses interfaces for the links of one tunnel. */
export class LinkInterfaces {
  readonly #links: LinkConfig[];
  #exclude: readonly string[];
  /** What each link has, by its number, and what a spare one had last. */
  readonly #names: (string | undefined)[];
  readonly #last: (string | undefined)[];

  /** @param exclude patterns of interfaces that are no links by themselves */
  constructor(links: readonly LinkConfig[], exclude: readonly string[]) {
    this.#links = [...links];
    this.#exclude = exclude;
    this.#names = links.map((link) => isOpenLink(link) ? undefined : link.interface);
    this.#last = [...this.#names];
  }

  /** The link with a number is another one from now on; nothing is chosen for it yet. */
  setLink(id: number, link: LinkConfig): void {
    this.#links[id] = link;
    this.#names[id] = this.#last[id] = isOpenLink(link) ? undefined : link.interface;
  }

  /** Whether any link depends on what there is. */
  get isOpen(): boolean {
    return this.#patterns.length + this.#spare.length > 0;
  }

  /** The interface of a link; undefined while there is none for it. */
  nameOf(link: number): string | undefined {
    return this.#names[link];
  }

  /** Patterns of interfaces that are no links by themselves, from the next look on. */
  setExclude(exclude: readonly string[]): void {
    this.#exclude = exclude;
  }

  /** Looks at the interfaces that there are; returns the links that have another one, or none, now. */
  update(interfaces: readonly HostInterface[]): number[] {
    const before = [...this.#names];
    this.#leave(interfaces);
    const choices = (link: number): number => this.#candidates(link, interfaces).length;
    // Those that are hard to please come first.
    const links = this.#patterns.toSorted((a, b) => choices(a) - choices(b));
    for (const link of links) this.#take(link, interfaces);
    for (const name of this.left(interfaces)) this.#seat(name);
    return [...this.#names.keys()].filter((link) => this.#names[link] !== before[link]);
  }

  /** Uplinks that no link has: after {@linkcode update} those for which there is no room. */
  left(interfaces: readonly HostInterface[]): string[] {
    if (this.#spare.length === 0) return [];
    return interfaces
      .filter((one) => this.#isWanted(one) && this.#isFree(one.name))
      .sort(byName).map(({ name }) => name);
  }

  /** Gives up what can no longer be used. */
  #leave(interfaces: readonly HostInterface[]): void {
    for (const link of [...this.#patterns, ...this.#spare]) {
      const has = interfaces.find(({ name }) => name === this.#names[link]);
      if (!has || this.#isSpare(link) && !this.#isWanted(has)) this.#names[link] = undefined;
    }
  }

  /** A link takes the best interface for it, if that is better than the one it has. */
  #take(link: number, interfaces: readonly HostInterface[]): void {
    const has = interfaces.find(({ name }) => name === this.#names[link]);
    const [best] = this.#candidates(link, interfaces);
    if (best && (!has || quality(best) > quality(has))) this.#give(link, best.name);
  }

  /** The interfaces that a link could have, the best first. */
  #candidates(link: number, interfaces: readonly HostInterface[]): HostInterface[] {
    const { interface: pattern = "" } = this.#links[link]!;
    return interfaces
      .filter(({ name }) => matchesPattern(pattern, name) && this.#isFree(name))
      .sort((a, b) => quality(b) - quality(a) || byName(a, b));
  }

  /** A spare link that had the interface before, else one that had none, else any that is free. */
  #seat(name: string): void {
    const free = this.#spare.filter((link) => this.#names[link] === undefined);
    const link = free.find((link) => this.#last[link] === name) ??
      free.find((link) => this.#last[link] === undefined) ?? free[0];
    if (link !== undefined) this.#give(link, name);
  }

  #give(link: number, name: string): void {
    this.#names[link] = this.#last[link] = name;
  }

  /** Whether no link has the interface, and none is to have it by its name. */
  #isFree(name: string): boolean {
    return !this.#names.includes(name) && !this.#links.some(({ vrf }) => vrf === name);
  }

  /** Numbers of the links with a pattern. */
  get #patterns(): readonly number[] {
    return this.#open.filter((link) => !this.#isSpare(link));
  }

  get #spare(): readonly number[] {
    return this.#open.filter((link) => this.#isSpare(link));
  }

  get #open(): readonly number[] {
    return [...this.#links.keys()].filter((link) => isOpenLink(this.#links[link]!));
  }

  #isWanted(one: HostInterface): boolean {
    return isUplink(one) && !this.#isExcluded(one.name);
  }

  #isExcluded(name: string): boolean {
    return this.#exclude.some((pattern) => matchesPattern(pattern, name));
  }

  #isSpare(link: number): boolean {
    return this.#links[link]!.options.spare === true;
  }
}

/** Whether something can leave by an interface to anywhere. */
export function isUplink({ isRunning, defaults }: HostInterface): boolean {
  return isRunning && defaults.length > 0;
}

function quality({ isRunning, addresses }: HostInterface): number {
  return isRunning && addresses.length > 0 ? USABLE : 1;
}

function byName(a: HostInterface, b: HostInterface): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}
