/**
 * The cases of `make bench-links`, in groups. A percentage is of the raw sum of
 * the lines' rates, counted in IP packets: TCP without a tunnel reaches 96.5 %,
 * and with the tunnel's overhead about 92 %.
 *
 * @module
 */

import { BASICS } from "./basics.ts";
import { PATH_MTU } from "./path_mtu.ts";
import { MOBILE } from "./mobile.ts";
import type { Scenario } from "./scenario.ts";
import { SHARED } from "./shared.ts";
import { TARGETS } from "./targets.ts";

/** Groups by their names for `--group`. */
export const GROUPS: Readonly<Record<string, readonly Scenario[]>> = {
  basics: BASICS,
  targets: TARGETS,
  mtu: PATH_MTU,
  mobile: MOBILE,
  shared: SHARED,
};

/** All of them, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = Object.values(GROUPS).flat();
