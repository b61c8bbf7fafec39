/**
 * Facts of links as tests need them.
 *
 * @module
 */

import { diagnose } from "../../src/doctor/diagnose.ts";
import type { Facts, LinkFacts } from "../../src/doctor/facts.ts";

/** A link that is all right. */
export const GOOD_LINK: LinkFacts = {
  name: "dsl",
  isCostly: false,
  way: "by eth0 from 192.168.1.2",
  interface: "eth0",
  names: [],
  server: "203.0.113.1:5080",
  local: "192.168.1.2:40000",
  isUp: true,
  idle: {
    rttUs: 20_300,
    jitterUs: 400,
    probes: 390,
    lossUp: 0,
    lossDown: 0,
    isLossy: false,
    isBusy: false,
  },
  mtuUp: 1500,
  mtuDown: 1500,
  seenAs: "198.51.100.7:40000",
};

/** Facts of one link that differs from the good one. */
export function factsOf(link: Partial<LinkFacts> = {}, facts: Partial<Facts> = {}): Facts {
  return {
    tunnel: "home",
    isRunning: false,
    clock: "synchronized",
    anyUp: true,
    links: [{ ...GOOD_LINK, ...link }],
    ...facts,
  };
}

/** What is said of it: `VERDICT check: text -> advice`. */
export function said(link: Partial<LinkFacts> = {}, facts: Partial<Facts> = {}): string[] {
  return diagnose(factsOf(link, facts)).links[0]!.findings.map(({ check, verdict, text, advice }) =>
    `${verdict} ${check}: ${text}${advice === undefined ? "" : ` -> ${advice}`}`
  );
}
