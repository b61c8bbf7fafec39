/**
 * Which way a link's datagrams leave: what follows from the keys that `schema.ts` marks.
 *
 * @module
 */

import { Address } from "../address.ts";
import type { LinkConfig } from "./config.ts";
import { type Key, LINK_KEYS, type Os, type Way } from "./schema.ts";

type LinkKeys = typeof LINK_KEYS;

/** A key that decides something about the way; with `W`, that thing. */
export type WayKey<W extends Way = Way> = {
  [K in keyof LinkKeys]: LinkKeys[K] extends { readonly way: W } ? K : never;
}[keyof LinkKeys];

/** Those keys, in the order of the manual. */
export const WAY_KEYS: readonly WayKey[] = (Object.keys(LINK_KEYS) as (keyof LinkKeys)[])
  .filter((key): key is WayKey => "way" in LINK_KEYS[key]);

/** Sockets that differ in one of these may have the same port. */
const OF_PORTS: readonly Way[] = ["address", "device", "domain"];
/** What two sockets can differ in. */
const OF_SOCKETS: readonly Way[] = [...OF_PORTS, "mark"];

/** Keys that tell the sockets of two links with the same remote apart; one for each way. */
export const PORT_KEYS: readonly WayKey[] = firstKeys(OF_PORTS);
/** Keys that make two links leave different ways; one for each way. */
export const SOCKET_KEYS: readonly WayKey[] = firstKeys(OF_SOCKETS);
/** Keys of links for which the main table's routes do not matter; for each system in turn. */
export const PINNING_KEYS: readonly WayKey[] = ([undefined, "linux", "openbsd"] as const)
  .flatMap((os) => WAY_KEYS.filter((key) => isPinning(key) && osOf(key) === os));

/** Returns the value of the first key of `way` that a link has; undefined if it has none. */
export function wayOf<W extends Way>(link: LinkConfig, way: W): LinkConfig[WayKey<W>] | undefined {
  const key = keysOf(way).find((key) => link[key] !== undefined);
  return key && (link[key] as LinkConfig[WayKey<W>]);
}

/** Returns the keys of a way, of which a link may have one. */
export function keysOf(way: Way): readonly WayKey[] {
  return WAY_KEYS.filter((key) => LINK_KEYS[key].way === way);
}

/** Returns the system that a key is for, undefined when it is for all. */
export function osOf(key: WayKey): Os | undefined {
  const { os }: Key = LINK_KEYS[key];
  return os;
}

/** Returns the same text for links that leave the same way, apart from routing by destination. */
export function sourceOf(link: LinkConfig): string {
  const values = WAY_KEYS.map((key) => link[key]);
  // Bound to the any address is the same as not bound.
  const isAny = (value: unknown): boolean => value instanceof Address && value.isUnspecified;
  return textOf(values.map((value) => isAny(value) ? undefined : value));
}

/** Returns the same text for links whose sockets cannot have the same port. */
export function portSpaceOf(link: LinkConfig): string {
  return textOf(OF_PORTS.map((way) => wayOf(link, way)));
}

/** Tells whether the link's datagrams do not follow the routes of the main table. */
export function isPinned(link: LinkConfig): boolean {
  return PINNING_KEYS.some((key) => link[key] !== undefined);
}

/** An address chooses only among the ways that routing by destination leaves. */
function isPinning(key: WayKey): boolean {
  return LINK_KEYS[key].way !== "address";
}

function firstKeys(ways: readonly Way[]): WayKey[] {
  return WAY_KEYS.filter((key) => {
    const { way } = LINK_KEYS[key];
    return ways.includes(way) && keysOf(way)[0] === key;
  });
}

function textOf(values: readonly LinkConfig[WayKey][]): string {
  return JSON.stringify(values.map((value) => value === undefined ? null : `${value}`));
}
