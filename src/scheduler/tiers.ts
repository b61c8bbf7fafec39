/**
 * What tiers mean: primary links always, overflow links when those are full, backups when nothing
 * else is up, and the last ones when no other backup is.
 *
 * @module
 */

import type { Path } from "../links/path.ts";

/** The order of tiers: links of lower rank are preferred. */
export function rank(path: Path): number {
  if (path.tier === "primary") return 0;
  return path.tier === "overflow" ? 1 : path.tier === "backup" ? 2 : 3;
}

/** Whether a link is for when nothing better is up. */
export function isBackup(path: Path): boolean {
  return path.tier === "backup" || path.tier === "last";
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
  return isBackup(path)
    ? "backup: used when no other link is up"
    : "overflow: used when the links before it are full";
}
