/**
 * `status_command`: a program that is called whenever a link, a client or the tunnel comes or goes,
 * and when a quota runs low.
 *
 * Its first arguments and the variables of mlvpn are exactly mlvpn's, so that programs written for
 * that go on working. What mlvpn does not tell is in variables that begin with AGGVPN_.
 *
 * Calls run one after another and never hold up the tunnel. Names that the other end has chosen
 * reach a program that runs as root only if they could stand in a configuration.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { isName } from "../config/text_kinds.ts";
import type { LinkEvent } from "../tunnel/link_event.ts";
import type { QuotaEvent } from "./event_hub.ts";
import type { Environment } from "./hooks.ts";
import { runScript, type ScriptHost } from "./script.ts";

const log = getLogger(["aggvpn", "hooks"]);

/** Calls that may wait; more are dropped, and the log says so. */
const MAX_WAITING = 256;
/** How long all calls together may take once the tunnel ends, in milliseconds. */
const END_LIMIT_MS = 5_000;

/** Why the program is called: its second argument. */
export type HookEvent =
  | "tuntap_up"
  | "tuntap_down"
  | "rtun_up"
  | "rtun_down"
  | "client_up"
  | "client_down"
  | "quota";

/** What an event is about, for the variables that begin with AGGVPN_; absent: nothing to say. */
interface Subject {
  readonly peer?: string;
  readonly link?: string;
  readonly state: string;
  readonly before?: string;
  readonly reason?: string;
}

/** What {@linkcode StatusCommand} needs. */
export interface StatusCommandOptions {
  /** The one of the moment; undefined: there is none. */
  readonly command: () => string | undefined;
  readonly env: Environment;
  readonly host: ScriptHost;
  /** Whether there are several peers, so that links of two of them may have one name. */
  readonly severalPeers: () => boolean;
  /** For tests: {@linkcode END_LIMIT_MS}. */
  readonly endLimitMs?: number;
}

/** A peer that is up, as the program knows it. */
interface UpPeer {
  /** Whether it was told apart from others. */
  readonly isOneOfSeveral: boolean;
  /** Names of its links that are up, by number. */
  readonly links: Map<number, string>;
}

/** Calls the status command. */
export class StatusCommand {
  readonly #options: StatusCommandOptions;
  /** By name. */
  readonly #up: Map<string, UpPeer> = new Map();
  readonly #ending = new AbortController();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: StatusCommandOptions) {
    this.#options = options;
  }

  /** Tells the program about a link. A suspicion is nothing to tell. */
  handleLink(event: LinkEvent): void {
    if (event.state === "up") this.#onUp(event);
    else if (event.state === "down") this.#onDown(event.peer, event.id, event.reason);
  }

  /** Tells the program that a link has used much of its quota, or has one again. */
  handleQuota({ link, percent, reason }: QuotaEvent): void {
    this.#call("quota", link, { link, state: String(percent), reason });
  }

  /** Tells the program that everything is down; resolves when all calls have ended, or must. */
  async close(): Promise<void> {
    for (const [peer, { links }] of [...this.#up]) {
      for (const id of [...links.keys()]) this.#onDown(peer, id, "shutting down");
    }
    const timer = setTimeout(
      () => this.#ending.abort(),
      this.#options.endLimitMs ?? END_LIMIT_MS,
    );
    await this.#last;
    clearTimeout(timer);
  }

  #onUp({ peer, id, link, before }: LinkEvent): void {
    const isFirst = this.#up.size === 0;
    const { isOneOfSeveral, links } = this.#up.get(peer) ??
      { isOneOfSeveral: this.#options.severalPeers(), links: new Map<number, string>() };
    if (links.has(id)) return;
    const isFirstOfPeer = links.size === 0;
    const name = safeName(link, id, [...links.values()]);
    links.set(id, name);
    this.#up.set(peer, { isOneOfSeveral, links });
    const subject = { peer, state: "up", before: before === "connecting" ? before : "down" };
    this.#call("rtun_up", isOneOfSeveral ? `${peer}/${name}` : name, { ...subject, link: name });
    if (isFirstOfPeer && isOneOfSeveral) this.#call("client_up", peer, subject);
    if (isFirst) this.#call("tuntap_up", undefined, subject);
  }

  #onDown(peer: string, id: number, reason: string): void {
    const known = this.#up.get(peer);
    const name = known?.links.get(id);
    if (!known || name === undefined) return;
    const { isOneOfSeveral, links } = known;
    links.delete(id);
    if (links.size === 0) this.#up.delete(peer);
    const subject = { peer, state: "down", before: "up", reason };
    this.#call("rtun_down", isOneOfSeveral ? `${peer}/${name}` : name, { ...subject, link: name });
    if (links.size === 0 && isOneOfSeveral) this.#call("client_down", peer, subject);
    if (this.#up.size === 0) this.#call("tuntap_down", undefined, subject);
  }

  #call(event: HookEvent, argument: string | undefined, subject: Subject): void {
    const { env } = this.#options;
    const command = this.#options.command();
    if (command === undefined) return;
    if (this.#waiting >= MAX_WAITING) {
      log.warning("{command} is too slow: {event} is not reported", { command, event });
      return;
    }
    const args = [env().DEVICE!, event, ...argument === undefined ? [] : [argument]];
    this.#waiting++;
    this.#last = this.#last.then(() => this.#run(command, args, variables(subject)))
      .finally(() => this.#waiting--);
  }

  async #run(
    command: string,
    args: readonly string[],
    more: Record<string, string>,
  ): Promise<void> {
    const { env, host } = this.#options;
    const line = [command, ...args].join(" ");
    if (this.#ending.signal.aborted) {
      log.warning("{command} was not called: the calls before it took too long", { command: line });
      return;
    }
    try {
      const failure = await runScript(
        command,
        args,
        { ...env(), ...more },
        host,
        this.#ending.signal,
      );
      if (failure !== undefined) log.warning("{command} {failure}", { command: line, failure });
    } catch (error) {
      log.error("Cannot run {command}: {reason}", { command, reason: (error as Error).message });
    }
  }
}

/** A name that no script can misunderstand, and that no other link of the peer has. */
function safeName(name: string, id: number, taken: readonly string[]): string {
  let safe = isName(name) ? name : `link${id}`;
  while (taken.includes(safe)) safe = safe === name ? `link${id}` : `${safe}_`;
  return safe;
}

function variables({ peer, link, state, before, reason }: Subject): Record<string, string> {
  return {
    AGGVPN_PEER: peer ?? "",
    AGGVPN_LINK: link ?? "",
    AGGVPN_STATE: state,
    AGGVPN_PREVIOUS: before ?? "",
    // deno-lint-ignore no-control-regex
    AGGVPN_REASON: (reason ?? "").replaceAll(/[\x00-\x1f\x7f]/g, " "),
  };
}
