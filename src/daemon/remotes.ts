/**
 * Where each link sends, for each server: addresses as they are, and names, which are looked up
 * again and again.
 *
 * A name that cannot be looked up is tried again, later each time. While a link that goes to a name
 * is silent, the addresses of the name are tried in turn, of both families alternately, beginning
 * with the one that last worked (RFC 8305 section 4), and the name is looked up again: its server
 * may have moved. Neither happens while the link has no socket or the server is not asked, for then
 * nothing was tried, nor to a link that works. Every name is looked up now and then, for the
 * resolver does not say how long an answer is good.
 *
 * A socket sends to one family. As long as a link works with some server, the others are only
 * reached by that family; when none answers, both get their turn.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { Address, type Family } from "../address.ts";
import { AggvpnError } from "../errors.ts";
import type { Clock } from "../io/clock.ts";
import { interleaveFamilies, remotesOf } from "../platform/resolve.ts";
import type { Remote } from "../remote.ts";
import type { ServerState } from "../tunnel/servers.ts";
import {
  dueAtUs,
  firstFamily,
  type Name,
  newTarget,
  patienceUs,
  type RemoteLink,
  SILENCE_US,
  type Socket,
  type Target,
} from "./remote_targets.ts";

const log = getLogger(["aggvpn", "remotes"]);

/** How often {@linkcode Remotes.handleTimeout} is to be called, in milliseconds. */
export const REMOTES_INTERVAL_MS = 1000;
/** The start waits for resolvers at most this long, in milliseconds. */
const START_WAIT_MS = 5000;
/** A name is looked up at least this often, in microseconds. */
const REFRESH_US = 600e6;
/** While servers of both families are asked on one link, its socket is of each for this long. */
const FAMILY_TURN_US = 2e6;

/** The tunnel that is told of addresses. */
export interface RemoteCarrier {
  isUp(link: number, server: number): boolean;
  serverState(server: number): ServerState;
  hasSocket(link: number): boolean;
  /** The link's socket is to be one of `family`. */
  setFamily(link: number, family: Family): void;
  /** Where to send; undefined: the socket cannot send there. */
  setRemote(link: number, server: number, remote: Remote | undefined): void;
}

/** What {@linkcode Remotes} works with. */
export interface RemotesOptions {
  /** Link ids are positions. */
  readonly links: readonly RemoteLink[];
  /** Returns all addresses of a name. Throws AggvpnError when there is none. */
  readonly lookup: (host: string, link: RemoteLink) => Promise<readonly Address[]>;
  readonly clock: Clock;
}

/** The remotes of a client's links, from before the tunnel is set up until {@linkcode close}. */
export class Remotes {
  readonly #options: RemotesOptions;
  /** By link. */
  readonly #sockets: Socket[];
  readonly #names: Map<string, Name> = new Map();
  #carrier: RemoteCarrier | undefined;
  #isClosed = false;

  /** Throws AggvpnError when an address cannot be used. */
  constructor(options: RemotesOptions) {
    this.#options = options;
    this.#sockets = options.links.map((link, id) => this.#newSocket(id, link));
  }

  /**
   * Link `id` is another one from now on, of whose names nothing is known yet; undefined: none. Throws
   * AggvpnError, with nothing changed, when an address cannot be used.
   */
  setLink(id: number, link: RemoteLink | undefined): void {
    const socket = this.#newSocket(id, link ?? { name: "", hosts: [] });
    for (const [key, name] of this.#names) {
      const others = name.targets.filter((target) =>
        target.id !== id || socket.targets.includes(target)
      );
      name.targets.splice(0, name.targets.length, ...others);
      if (others.length === 0) this.#names.delete(key);
    }
    this.#sockets[id] = socket;
    for (const name of this.#names.values()) {
      if (name.targets.some((target) => target.id === id)) void this.#look(name);
    }
  }

  /** Where each link sends to each server; undefined until its name could be looked up. */
  get current(): readonly (readonly (Remote | undefined)[])[] {
    return this.#sockets.map(({ targets }) => targets.map((target) => this.#usable(target)));
  }

  /** The family of a link's socket; undefined while no address is known. */
  familyOf(link: number): Family | undefined {
    return this.#sockets[link]!.family;
  }

  /** Where a link sends, to the server that it works with if there is one. */
  remoteOf(link: number): Remote | undefined {
    const targets = this.#sockets[link]!.targets.filter((target) => this.#usable(target));
    const isUp = ({ id, server }: Target): boolean => this.#carrier?.isUp(id, server) ?? false;
    return (targets.find(isUp) ?? targets[0])?.current;
  }

  /** Every address that a link may send to, each once. */
  get known(): readonly Remote[] {
    const all = this.#targets.flatMap(({ candidates, current }) => [
      ...candidates,
      ...current ? [current] : [],
    ]);
    return [...new Map(all.map((remote) => [`${remote}`, remote])).values()];
  }

  /** Whether something may change: there is a name, or a socket that may have to be of both families. */
  get mayChange(): boolean {
    return this.#names.size > 0 ||
      this.#targets.some((target) => target.current && !this.#usable(target));
  }

  /** Why a link does not know where to send; undefined when it knows of a server. */
  reasonOf(link: number): string | undefined {
    const { targets } = this.#sockets[link] ?? { targets: [] };
    return targets.some(({ current }) => current) ? undefined : targets[0]?.reason;
  }

  /** A link can send to addresses of `family` only, from now on. */
  fixFamily(link: number, family: Family): void {
    const socket = this.#sockets[link]!;
    socket.family = family;
    socket.isFixed = true;
    for (const target of socket.targets) target.family = family;
  }

  /**
   * Looks every name up once; returns early when that takes long. With `needsOne` it goes on until
   * some link knows where to send, or `stopping` is aborted.
   */
  async start(needsOne: boolean, stopping?: AbortSignal): Promise<void> {
    const lookups = [...this.#names.values()].map((name) => this.#look(name));
    await waitFor(Promise.all(lookups), START_WAIT_MS, stopping);
    for (const socket of this.#sockets) {
      if (!socket.isFixed) socket.family = firstFamily(socket.targets);
    }
    for (const target of this.#targets) {
      const isAsked = !target.current && target.reason === undefined;
      if (isAsked) this.#wait(target, `Nothing is known about "${target.host}" yet`);
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
      const isDue = isWanted && now >= dueAtUs(name) || now >= name.lookedAtUs + REFRESH_US;
      if (isDue && !name.isAsked) void this.#look(name);
    }
    for (const socket of this.#sockets) this.#fitFamily(now, socket);
  }

  /** Nothing changes any more, whatever a resolver still says. */
  close(): void {
    this.#isClosed = true;
  }

  get #targets(): readonly Target[] {
    return this.#sockets.flatMap(({ targets }) => targets);
  }

  #newSocket(id: number, link: RemoteLink): Socket {
    const now = this.#options.clock();
    const targets = link.hosts.map((host, server) => newTarget(now, id, server, link, host));
    for (const target of targets) this.#nameOf(target)?.targets.push(target);
    const family = link.family ?? firstFamily(targets);
    return { family, isFixed: link.family !== undefined, sinceUs: now, targets };
  }

  get #knowsOne(): boolean {
    return this.#targets.some(({ current }) => current !== undefined);
  }

  #nameOf({ host, link: { rdomain } }: Target): Name | undefined {
    if (host instanceof Address) return undefined;
    const key = `${host} ${rdomain ?? ""}`;
    const fresh = { host, targets: [], lookups: 0, lookedAtUs: -Infinity, isAsked: false };
    const name = this.#names.get(key) ?? fresh;
    this.#names.set(key, name);
    return name;
  }

  /** What the link's socket can send to. */
  #usable({ id, current }: Target): Remote | undefined {
    const { family = current?.family } = this.#sockets[id]!;
    return current?.family === family ? current : undefined;
  }

  #watch(now: number, name: Name, target: Target): void {
    const carrier = this.#carrier;
    if (!carrier || !target.current) return;
    const { id, server, candidates } = target;
    const state = carrier.serverState(server);
    const wasAsked = target.isAsked;
    target.isAsked = state === "asked";
    if (carrier.isUp(id, server)) {
      name.lookups = 0;
      this.#noteWorks(now, target, target.current);
    } else if (state !== "asked" || !carrier.hasSocket(id)) {
      target.quietSinceUs = target.triedAtUs = now;
      const isInVain = wasAsked && state === "idle" && candidates.length > 1;
      if (isInVain) this.#tryNext(now, target, target.current);
    } else if (candidates.length > 1 && now - target.triedAtUs >= patienceUs(target)) {
      this.#tryNext(now, target, target.current);
    }
  }

  /**
   * Has a link's socket be of a family by which a server that is asked can be reached; returns
   * whether it is another now.
   */
  #fitFamily(now: number, socket: Socket): boolean {
    const carrier = this.#carrier;
    if (!carrier || socket.isFixed) return false;
    if (socket.targets.some(({ id, server }) => carrier.isUp(id, server))) {
      socket.sinceUs = now;
      return false;
    }
    const asked = socket.targets.filter(({ server, current }) =>
      current && carrier.serverState(server) !== "idle"
    );
    const other = asked.find(({ current }) => current!.family !== socket.family);
    const fits = asked.some(({ current }) => current!.family === socket.family);
    if (!other || fits && now - socket.sinceUs < FAMILY_TURN_US) return false;
    socket.family = other.current!.family;
    socket.sinceUs = now;
    carrier.setFamily(other.id, socket.family);
    for (const target of socket.targets) this.#tell(target);
    return true;
  }

  #tell(target: Target): void {
    const { id, server, current } = target;
    if (current) this.#carrier?.setRemote(id, server, this.#usable(target));
  }

  #noteWorks(now: number, target: Target, current: Remote): void {
    target.quietSinceUs = target.triedAtUs = now;
    target.tries = 0;
    if (target.worked?.equals(current.bytes)) return;
    const { name } = target.link;
    if (target.worked && name !== "") {
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
    const socket = this.#sockets[target.id]!;
    if (socket.family === undefined) {
      socket.family = remote.family;
      this.#carrier?.setFamily(target.id, remote.family);
    }
    if (!this.#fitFamily(now, socket)) this.#tell(target);
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
    const { host, port, link: { name } } = target;
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
    if (current && this.#carrier?.isUp(target.id, target.server)) return false;
    const [remote] = candidates as [Remote];
    const fields = { link: name, host: `${host}`, remote: `${remote}` };
    if (name === "") target.reason = undefined;
    else if (current) log.info("Link {link} goes to {remote}: {host} has moved", fields);
    else if (target.reason !== undefined) log.info("Link {link} goes to {remote}", fields);
    target.tries = 0;
    this.#choose(now, target, remote);
    return true;
  }

  #wait(target: Target, reason: string): void {
    if (target.reason === reason) return;
    target.reason = reason;
    const { name: link, hosts } = target.link;
    if (link === "") return;
    if (hosts.length === 1) {
      log.warning("Link {link} waits for its server: {reason}", { link, reason });
    } else log.warning("Link {link} does without one of its servers: {reason}", { link, reason });
  }

  /** In the resolver's order, but of both families alternately; that which last worked comes first. */
  #inOrder({ id, worked }: Target, remotes: readonly Remote[]): readonly Remote[] {
    return interleaveFamilies(remotes, worked?.family ?? this.#sockets[id]!.family);
  }
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
