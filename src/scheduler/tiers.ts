/**
 * What tiers mean: primary links always, overflow links when those are full, backups when nothing
 * else is up.
 *
 * @module
 */

import type { Path } from "../links/path.ts";

/** The order of tiers: links of lower rank are preferred. */
export function rank(path: Path): number {
  return path.tier === "primary" ? 0 : path.tier === "overflow" ? 1 : 2;
}

/** Whether a link that is up is of a better tier than `path`. */
export function isOutranked(path: Path, paths: readonly Path[]): boolean {
  for (const other of paths) {
    if (other.live.state === "up" && rank(other) < rank(path)) return true;
  }
  return false;
}

/** Why a link that is up is not used because of its tier, in words. */
export function whyTierUnused(path: Path, paths: readonly Path[]): string | undefined {
  if (path.tierReason !== undefined) return path.tierReason;
  if (!isOutranked(path, paths)) return undefined;
  return path.tier === "backup"
    ? "backup: used when no other link is up"
    : "overflow: used when the links before it are full";
}
