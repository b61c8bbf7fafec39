/**
 * Links of a peer that come, go and change while its session goes on.
 *
 * @module
 */

import { Path, type PathOptions } from "../links/path.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { Remote } from "../remote.ts";
import type { Session } from "../session/session.ts";

/** The peer whose links change. */
export interface LinkedPeer {
  /** By link id; those of new ids are appended. */
  readonly paths: Path[];
  readonly receiver: Receiver;
  readonly current: Session | undefined;
  /** A link is there no more, or is not to be used: `options` say which. */
  removeLink(now: number, link: number, options: PathOptions): void;
}

/**
 * Has each of `links`, whose id is its place, be as it says. A link of the same name goes on with what
 * is known of it; `remotes` are for those that were not there. Returns whether any is another one.
 */
export function rearrange(
  now: number,
  peer: LinkedPeer,
  links: readonly PathOptions[],
  remotes: readonly (Remote | undefined)[],
): boolean {
  let isOther = false;
  for (const options of links) {
    const path = peer.paths[options.id];
    const remote = remotes[options.id];
    if (path && goesOn(now, path, options)) continue;
    if (path) replace(now, peer, path, options, remote);
    else append(now, peer, options, remote);
    isOther = true;
  }
  return isOther;
}

/** Whether a place stands for the same link as before, which then goes on as `options` say. */
function goesOn(now: number, path: Path, options: PathOptions): boolean {
  const { spare, off, name } = path.options;
  const isSilent = options.spare || options.off !== undefined;
  if (isSilent || spare || off !== undefined) {
    return spare === options.spare && off === options.off && name === options.name;
  }
  if (name !== options.name) return false;
  path.setOptions(now, options);
  return true;
}

function replace(
  now: number,
  peer: LinkedPeer,
  path: Path,
  options: PathOptions,
  remote: Remote | undefined,
): void {
  const isAnother = path.options.name !== options.name;
  if (isAnother) peer.receiver.renew(options.id);
  peer.removeLink(now, options.id, options);
  if (options.spare || options.off !== undefined) return;
  path.renew(now, options, isAnother);
  path.remote = remote;
}

function append(
  now: number,
  peer: LinkedPeer,
  options: PathOptions,
  remote: Remote | undefined,
): void {
  const path = new Path(options, now, options.id, remote);
  if (peer.current && path.isThere) path.mtu.restart();
  peer.paths.push(path);
}
