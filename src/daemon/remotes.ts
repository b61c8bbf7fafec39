/**
 * Where each link sends: addresses as they are, and names, which are looked up again and again.
 *
 * A name that cannot be looked up is tried again, later each time. While a link that goes to a name
 * is silent, the addresses of the name are tried in turn, those first that are of the family that
 * last worked, and the name is looked up again: its server may have moved. Neither happens while
 * the link has no socket, for then nothing was tried, nor to a link that works.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { Address, type Family } from "../address.ts";
import { AggvpnError } from "../errors.ts";
import type { Clock } from "../io/clock.ts";
import { remotesOf } from "../platform/resolve.ts";
import type { Remote } from "../remote.ts";

const log = getLogger(["aggvpn", "remotes"]);

/** How often {@linkcode Remotes.handleTimeout} is to be called, in milliseconds. */
export const REMOTES_INTERVAL_MS = 1000;
/** The start waits for resolvers at most this long, in milliseconds. */
const START_WAIT_MS = 5000;
/** Pauses between attempts to look up a name of which no address is known, in microseconds. */
const RETRY_US: readonly number[] = [1e6, 2e6, 4e6, 8e6, 16e6, 30e6];
/** ... and of a name with addresses that do not answer. */
const AGAIN_US: readonly number[] = [30e6, 60e6, 120e6];
/** Silence on a link that worked, after which its server may have moved, in microseconds. */
const SILENCE_US = 10e6;
/** Time for an answer from an address that has not worked yet: five INITs. */
const TRY_US = 3e6;

/** A link, and where it may send. */
export interface RemoteLink {
  readonly name: string;
  readonly host: Address | string;
  readonly port: number;
  /** The only family of addresses that it can send to; absent: either. */
  readonly family?: Family;
  /** Where its host is looked up (OpenBSD). */
  readonly rdomain?: number;
}

/** The tunnel that is told of addresses. */
export interface RemoteCarrier {
  isUp(link: number): boolean;
  hasSocket(link: number): boolean;
  setRemote(link: number, remote: Remote): void;
}

/** What {@linkcode Remotes} works with. */
export interface RemotesOptions {
  /** Link ids are positions. */
  readonly links: readonly RemoteLink[];
  /** Returns all addresses of a name. Throws AggvpnError when there is none. */
  readonly lookup: (host: string, link: RemoteLink) => Promise<readonly Address[]>;
  readonly clock: Clock;
}

/** A name as seen in one routing domain. */
interface Name {
  readonly host: string;
  readonly targets: Target[];
  /** Lookups in a row that changed nothing for a silent link, and when the last one ended. */
  lookups: number;
  lookedAtUs: number;
  isAsked: boolean;
}

/** Where one link sends. */
interface Target {
  readonly id: number;
  readonly link: RemoteLink;
  family: Family | undefined;
  /** In the order in which they are tried; empty until something is known. */
  candidates: readonly Remote[];
  current: Remote | undefined;
  /** Why there is no address. */
  reason: string | undefined;
  /** What last worked. */
  worked: Remote | undefined;
  /** When the link last worked, or had no socket. */
  quietSinceUs: number;
  triedAtUs: number;
  /** Addresses that were tried since it last worked. */
  tries: number;
}

/** The remotes of a client's links, from before the tunnel is set up until {@linkcode close}. */
export class Remotes {
  readonly #options: RemotesOptions;
  readonly #targets: readonly Target[];
  readonly #names: Map<string, Name> = new Map();
  #carrier: RemoteCarrier | undefined;
  #isClosed = false;

  /** Throws AggvpnError when an address cannot be used. */
  constructor(options: RemotesOptions) {
    this.#options = options;
    const now = options.clock();
    this.#targets = options.links.map((link, id) => {
      const { host, port, family } = link;
      const candidates = host instanceof Address ? remotesOf(host, [host], port, family) : [];
      const [current] = candidates;
      const target = {
        id,
        link,
        family,
        candidates,
        current,
        reason: undefined,
        worked: undefined,
      };
      return { ...target, quietSinceUs: now, triedAtUs: now, tries: 1 };
    });
    for (const target of this.#targets) this.#nameOf(target)?.targets.push(target);
  }

  /** Where each link sends; undefined until its name could be looked up. */
  get current(): readonly (Remote | undefined)[] {
    return this.#targets.map(({ current }) => current);
  }

  /** Whether there is a name, so that something may change. */
  get hasNames(): boolean {
    return this.#names.size > 0;
  }

  /** Why a link does not know where to send; undefined when it does. */
  reasonOf(link: number): string | undefined {
    return this.#targets[link]?.reason;
  }

  /** A link can send to addresses of `family` only, from now on. */
  fixFamily(link: number, family: Family): void {
    this.#targets[link]!.family = family;
  }

  /**
   * Looks every name up once; returns early when that takes long. With `needsOne` it goes on until
   * some link knows where to send, or `stopping` is aborted.
   */
  async start(needsOne: boolean, stopping?: AbortSignal): Promise<void> {
    const lookups = [...this.#names.values()].map((name) => this.#look(name));
    await waitFor(Promise.all(lookups), START_WAIT_MS, stopping);
    for (const target of this.#targets) {
      const isAsked = !target.current && target.reason === undefined;
      if (isAsked) this.#wait(target, `Nothing is known about "${target.link.host}" yet`);
    }
    if (needsOne && !this.#knowsOne) {
      log.warning(
        "No server is known yet: the tunnel is set up once one is, since its routes would hide resolvers",
      );
    }
    while (needsOne && !this.#knowsOne && !stopping?.aborted) {
      await waitFor(undefined, REMOTES_INTERVAL_MS / 4, stopping);
      this.handleTimeout();
    }
  }

  /** The tunnel is set up: it is told of what changes. */
  attach(carrier: RemoteCarrier): void {
    this.#carrier = carrier;
    const now = this.#options.clock();
    for (const target of this.#targets) target.quietSinceUs = target.triedAtUs = now;
  }

  /** Tries other addresses and looks names up, where that is due. */
  handleTimeout(): void {
    const now = this.#options.clock();
    for (const name of this.#names.values()) {
      let isWanted = false;
      for (const target of name.targets) {
        this.#watch(now, name, target);
        isWanted ||= !target.current || now - target.quietSinceUs >= SILENCE_US;
      }
      if (isWanted && now >= dueAtUs(name) && !name.isAsked) void this.#look(name);
    }
  }

  /** Nothing changes any more, whatever a resolver still says. */
  close(): void {
    this.#isClosed = true;
  }

  get #knowsOne(): boolean {
    return this.#targets.some(({ current }) => current !== undefined);
  }

  #nameOf({ link }: Target): Name | undefined {
    const { host, rdomain } = link;
    if (host instanceof Address) return undefined;
    const key = `${host} ${rdomain ?? ""}`;
    const fresh = { host, targets: [], lookups: 0, lookedAtUs: -Infinity, isAsked: false };
    const name = this.#names.get(key) ?? fresh;
    this.#names.set(key, name);
    return name;
  }

  #watch(now: number, name: Name, target: Target): void {
    const carrier = this.#carrier;
    if (!carrier || !target.current) return;
    if (carrier.isUp(target.id)) {
      name.lookups = 0;
      this.#noteWorks(now, target, target.current);
    } else if (!carrier.hasSocket(target.id)) {
      target.quietSinceUs = target.triedAtUs = now;
    } else if (target.candidates.length > 1 && now - target.triedAtUs >= patienceUs(target)) {
      this.#tryNext(now, target, target.current);
    }
  }

  #noteWorks(now: number, target: Target, current: Remote): void {
    target.quietSinceUs = target.triedAtUs = now;
    target.tries = 0;
    if (target.worked?.equals(current.bytes)) return;
    const { name } = target.link;
    if (target.worked) {
      log.info("Link {link} works with {remote}", { link: name, remote: `${current}` });
    }
    target.worked = current;
    target.candidates = this.#inOrder(target, target.candidates);
  }

  #tryNext(now: number, target: Target, current: Remote): void {
    const { candidates, link } = target;
    const at = candidates.findIndex((candidate) => candidate.equals(current.bytes));
    const next = candidates[(at + 1) % candidates.length]!;
    const fields = { link: link.name, remote: `${next}`, silent: `${current}` };
    log.debug("Link {link} tries {remote}: {silent} does not answer", fields);
    this.#choose(now, target, next);
  }

  #choose(now: number, target: Target, remote: Remote): void {
    target.current = remote;
    target.reason = undefined;
    target.triedAtUs = now;
    target.tries++;
    this.#carrier?.setRemote(target.id, remote);
  }

  async #look(name: Name): Promise<void> {
    name.isAsked = true;
    let found: readonly Address[] | AggvpnError;
    try {
      found = await this.#options.lookup(name.host, name.targets[0]!.link);
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      found = error;
    } finally {
      name.isAsked = false;
    }
    if (this.#isClosed) return;
    const now = this.#options.clock();
    name.lookedAtUs = now;
    name.lookups++;
    for (const target of name.targets) {
      if (this.#take(now, target, found)) name.lookups = 1;
    }
  }

  /** Makes use of the answer of a resolver; returns whether the link goes elsewhere now. */
  #take(now: number, target: Target, found: readonly Address[] | AggvpnError): boolean {
    const { host, port, name } = target.link;
    try {
      if (found instanceof AggvpnError) throw found;
      target.candidates = this.#inOrder(target, remotesOf(host, found, port, target.family));
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      if (!target.current) this.#wait(target, error.message);
      else {
        const { message: reason } = error;
        log.debug("Link {link} stays where it is: {reason}", { link: name, reason });
      }
      return false;
    }
    const { current, candidates } = target;
    if (current && candidates.some((candidate) => candidate.equals(current.bytes))) return false;
    if (current && this.#carrier?.isUp(target.id)) return false;
    const [remote] = candidates as [Remote];
    const fields = { link: name, host: `${host}`, remote: `${remote}` };
    if (current) log.info("Link {link} goes to {remote}: {host} has moved", fields);
    else if (target.reason !== undefined) log.info("Link {link} goes to {remote}", fields);
    target.tries = 0;
    this.#choose(now, target, remote);
    return true;
  }

  #wait(target: Target, reason: string): void {
    if (target.reason === reason) return;
    target.reason = reason;
    log.warning("Link {link} waits for its server: {reason}", { link: target.link.name, reason });
  }

  /** In the resolver's order, but those first that are of the family that last worked. */
  #inOrder({ worked }: Target, remotes: readonly Remote[]): readonly Remote[] {
    const isFirst = ({ family }: Remote): boolean => family === worked?.family;
    return [...remotes.filter(isFirst), ...remotes.filter((remote) => !isFirst(remote))];
  }
}

/** When a name may be looked up again. */
function dueAtUs({ targets, lookups, lookedAtUs }: Name): number {
  if (lookups === 0) return lookedAtUs + AGAIN_US[0]!;
  const pauses = targets.every(({ current }) => current !== undefined) ? AGAIN_US : RETRY_US;
  return lookedAtUs + pauses[Math.min(lookups, pauses.length) - 1]!;
}

/** How long the current address gets: less while there are others that were not tried. */
function patienceUs({ tries, candidates }: Target): number {
  return tries > 0 && tries < candidates.length ? TRY_US : SILENCE_US;
}

/** Resolves with `done`, after `ms`, or when `stopping` is aborted. */
async function waitFor(
  done: Promise<unknown> | undefined,
  ms: number,
  stopping: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => resolve();
  stopping?.addEventListener("abort", onAbort);
  if (stopping?.aborted) resolve();
  done?.then(() => resolve(), reject);
  await promise.finally(() => {
    clearTimeout(timer);
    stopping?.removeEventListener("abort", onAbort);
  });
}
