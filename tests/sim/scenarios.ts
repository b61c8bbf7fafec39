/**
 * The scenarios of the goodput table. `NAME known` tells the tunnel the
 * capacities, the others leave it to find them.
 *
 * @module
 */

import type { RuleOptions } from "../../src/rule_options.ts";
import {
  burstRate,
  type RateStep,
  steppedRate,
  traceRate,
} from "../pair/elements/rate_schedule.ts";
import { type DirectionSpec, line, type LineNumbers, type LinkSpec } from "../pair/link.ts";
import { mobileTrace } from "../pair/traces.ts";
import { COMPARED, MADE_UP } from "../../lab/varying_lines.ts";
import { linksOf } from "../pair/shaped.ts";
import { CLIENT } from "./packet.ts";
import { type Scenario, START_US, type Traffic, WARM_UP_US } from "./scenario.ts";
import { FLOW_PORT } from "./simulation.ts";

const MEASURED_US = START_US + WARM_UP_US;

/** A line between both; `rest` changes what differs. */
function dsl(name: string, mbps: number, rttMs: number, rest: Partial<LineNumbers> = {}): LinkSpec {
  return line({ name, mbps, rttMs, ...rest });
}

function steps(...mbps: number[]): RateStep[] {
  return mbps.map((rate) => ({ bps: rate * 1e6, forUs: 5e6 }));
}

const pair = [dsl("a", 50, 20), dsl("b", 50, 20)];
const unequal = [dsl("a", 80, 15, { upMbps: 20 }), dsl("b", 20, 60, { upMbps: 5 })];
const article = [
  dsl("dsl1", 11.74, 30, { upMbps: 0.82 }),
  dsl("dsl2", 11.74, 30, { upMbps: 0.82 }),
];
const lossy = [dsl("a", 50, 20), dsl("b", 50, 40, { both: { loss: 0.01 } })];
const lossyPair = [20, 30].map((rttMs, i) => dsl("ab"[i]!, 50, rttMs, { both: { loss: 0.01 } }));
const radio = [
  dsl("a", 40, 30, { both: { loss: 0.005 } }),
  dsl("b", 25, 50, { both: { loss: 0.005 } }),
];
const varying = [
  dsl("a", 30, 30),
  dsl("b", 40, 50, { queueMs: 300, both: { rate: steppedRate(steps(40, 10, 25, 5)) } }),
];
const cut = [
  dsl("a", 50, 20),
  dsl("b", 50, 20, {
    both: { blackholes: [{ fromUs: MEASURED_US + 5e6, toUs: MEASURED_US + 15e6 }] },
  }),
];
const unplugged = [
  dsl("a", 50, 20),
  dsl("b", 50, 20, {
    link: { unplugged: [{ fromUs: MEASURED_US + 5e6, toUs: MEASURED_US + 15e6 }] },
  }),
];

/** Returns `link` with `rest` in both directions. */
function withBoth(link: LinkSpec, rest: Partial<DirectionSpec>): LinkSpec {
  return { ...link, up: { ...link.up, ...rest }, down: { ...link.down, ...rest } };
}

/** 0.25 % of the packets begin a burst of ten in which half is lost. */
const BURSTS = { toBad: 0.0025, toGood: 0.1, lossGood: 0, lossBad: 0.5 };
const mobile = [
  dsl("a", 30, 30),
  line({
    name: "b",
    mbps: 20,
    rttMs: 60,
    both: { rate: traceRate(mobileTrace()), queue: { bytes: 300_000 } },
  }),
];
const rebinding = [
  dsl("a", 50, 20, { link: { rebindsUs: [MEASURED_US + 2e6, MEASURED_US + 6e6] } }),
  dsl("b", 50, 20, { link: { rebindsUs: [MEASURED_US + 4e6, MEASURED_US + 6e6] } }),
];
/** A small packet every 10 ms: how long is there silence? */
const HEARTBEAT: Traffic = { kind: "stream", packetsPerSecond: 100, bytes: 128 };
/** A call that says what it is (expedited forwarding, RFC 3246). */
const CALL: Traffic = { kind: "stream", packetsPerSecond: 50, bytes: 200, tos: 0xb8 };
/** Calls leave on every link. */
const CALLS_TWICE: RuleOptions = { dscp: 46, ports: [], links: [], duplicate: "all" };
/** The first bulk transfer is bound to one link. */
const FIRST_ON_A: RuleOptions = { ports: [FLOW_PORT], links: ["a"] };
/** A download by a browser. */
const QUIC: Traffic = { kind: "quic", congestion: "cubic" };
/** Somebody downloads over the first line without the tunnel. */
const SOMEBODY_ON_A: Traffic = { kind: "outside", link: 0, congestion: "cubic" };
/** The same for a while, or again and again, in seconds of the simulation. */
function somebodyOnA(...seconds: readonly (readonly [from: number, to: number])[]): Traffic {
  const spans = seconds.map(([from, to]) => ({ from, to }));
  return { kind: "outside", link: 0, congestion: "cubic", seconds: spans };
}
/** A page's parts. */
const REQUESTS: Traffic = { kind: "requests", responseBytes: 60_000, thinkMs: 100 };

/** Lines of 20 Mbit/s and 20 ms that carry this much, both ways. */
function carrying(...mtuBytes: readonly number[]): LinkSpec[] {
  return mtuBytes.map((bytes, i) => withBoth(dsl("ab"[i]!, 20, 20), { mtuBytes: bytes }));
}

/** The lines from number `first` on carry `mtuBytes` from the middle of what is measured on. */
function shrinking(links: readonly LinkSpec[], mtuBytes: number, first = 0): LinkSpec[] {
  const mtuSchedule = [{ atUs: MEASURED_US + 5e6, mtuBytes }];
  return links.map((link, i) => i < first ? link : withBoth(link, { mtuSchedule }));
}

/** Lines that lose what is larger than they carry: what they carry has to be found out. */
export const MTU_SCENARIOS: readonly Scenario[] = [
  { name: "PPPoE 1492 x2", links: carrying(1492, 1492) },
  { name: "1500+1492", links: carrying(1500, 1492) },
  { name: "1420+1280", links: carrying(1420, 1280) },
  {
    name: "shrinks to 1400 in the middle",
    links: shrinking(carrying(1500, 1500), 1400, 1),
  },
  { name: "shrinks to 1280 both", links: shrinking(carrying(1500, 1500), 1280) },
  { name: "4 flows, 1500+1492", links: carrying(1500, 1492), flows: 4 },
];

/** Lines of `lab/varying_lines.ts`, whose recordings begin with the traffic. */
function playing(name: string): LinkSpec[] {
  return linksOf([...MADE_UP, ...COMPARED].find((set) => set.name === name)!.lines, START_US);
}

/** What scenarios on lines with outages of seconds have in common. */
const OUTAGES = { seconds: 20, seeds: 3, latePerMille: 25 } as const;

/** Lines that are never the same for long, and those of a published comparison that are worst. */
const VARYING_SCENARIOS: readonly Scenario[] = [
  ...["two-lte", "dish-lte", "wifi-lte", "5g-dsl"].flatMap((name): Scenario[] => {
    const scenario = { name, links: playing(name), beside: [CALL], ...OUTAGES };
    return [scenario, { ...scenario, name: `${name} up`, from: CLIENT }];
  }),
  ...["jitter", "M12", "M14", "M16"].map((name): Scenario => ({
    name: `${name} BBR`,
    links: playing(name),
    seeds: 3,
    congestion: ["bbr"],
    beside: [CALL],
  })),
  { name: "QUIC, one 100/40", links: [dsl("a", 100, 40)], flows: 0, beside: [QUIC] },
  { name: "QUIC, M01", links: playing("M01"), flows: 0, beside: [QUIC] },
  { name: "QUIC, M08", links: playing("M08"), flows: 0, beside: [QUIC] },
  { name: "QUIC, two-lte", links: playing("two-lte"), flows: 0, beside: [QUIC], ...OUTAGES },
  { name: "50/20+50/20, a shared", links: pair, beside: [SOMEBODY_ON_A], seeds: 5 },
  { name: "two-lte, a shared", links: playing("two-lte"), beside: [SOMEBODY_ON_A], ...OUTAGES },
];

const pairOfPie = pair.map((link) => withBoth(link, { aqm: "pie" }));
const pairOfCodel = pair.map((link) => withBoth(link, { aqm: "codel" }));
const bursting = pair.map((link) => withBoth(link, { rate: burstRate(50e6, 200e6, 500_000) }));
const police = { bps: 30e6, burstBytes: 64_000 };

/** A line that others fill as well, and queues that are not those of a plain router. */
const SHARED_SCENARIOS: readonly Scenario[] = [
  { name: "a shared up", links: pair, from: CLIENT, beside: [SOMEBODY_ON_A], seeds: 5 },
  { name: "a shared 4 flows", links: pair, flows: 4, beside: [SOMEBODY_ON_A] },
  {
    name: "a shared with BBR",
    links: pair,
    beside: [{ kind: "outside", link: 0, congestion: "bbr" }],
  },
  { name: "a shared by BBR", links: pair, congestion: ["bbr"], beside: [SOMEBODY_ON_A] },
  { name: "a shared by two", links: pair, beside: [SOMEBODY_ON_A, SOMEBODY_ON_A] },
  { name: "a shared from 3 to 8", links: pair, beside: [somebodyOnA([3, 8])] },
  {
    name: "a shared every other second",
    links: pair,
    beside: [somebodyOnA(...[1, 3, 5, 7, 9, 11, 13].map((s) => [s, s + 1] as const))],
  },
  {
    name: "a shared, 40 ms of queue",
    links: [dsl("a", 50, 20, { queueMs: 40 }), pair[1]!],
    beside: [SOMEBODY_ON_A],
  },
  {
    name: "a shared, 250 ms of queue",
    links: [dsl("a", 50, 20, { queueMs: 250 }), pair[1]!],
    beside: [SOMEBODY_ON_A],
  },
  { name: "80/15+20/60, a shared", links: unequal, beside: [SOMEBODY_ON_A] },
  { name: "one 50/20, shared", links: [pair[0]!], beside: [SOMEBODY_ON_A], seeds: 5 },
  { name: "a shared, PIE", links: pairOfPie, beside: [SOMEBODY_ON_A] },
  { name: "PIE", links: pairOfPie },
  { name: "a shared, CoDel", links: pairOfCodel, beside: [SOMEBODY_ON_A] },
  { name: "CoDel", links: pairOfCodel },
  { name: "one 50/20, CoDel", links: [pairOfCodel[0]!] },
  { name: "bursts of 500 kB at 200 Mbit/s", links: bursting },
  { name: "one with bursts of 500 kB", links: [bursting[0]!] },
  { name: "50/20 policed to 30 + 50/20", links: [withBoth(pair[0]!, { police }), pair[1]!] },
  { name: "one 50/20, two tunnels", links: [pair[0]!], beside: [{ kind: "tunnel", lines: [0] }] },
  { name: "50/20+50/20, two tunnels", links: pair, beside: [{ kind: "tunnel", lines: [0, 1] }] },
  { name: "two tunnels on a", links: pair, beside: [{ kind: "tunnel", lines: [0] }] },
];

/** Hosts whose processes do not run for a while, again and again. */
const BUSY_SCENARIOS: readonly Scenario[] = [
  {
    name: "busy hosts, 3 to 10 ms",
    links: pair,
    stalls: { everyUs: 100_000, leastUs: 3_000, mostUs: 10_000 },
    seeds: 3,
  },
  {
    name: "busy hosts, 10 to 40 ms",
    links: pair,
    stalls: { everyUs: 60_000, leastUs: 10_000, mostUs: 40_000 },
    seeds: 3,
  },
];

/** All of them, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "one 50/20", links: [dsl("a", 50, 20)] },
  { name: "50/20+50/20 known", links: pair, configured: true },
  { name: "50/20+50/20", links: pair },
  { name: "50/20+50/20 up", links: pair, from: CLIENT },
  { name: "50/20+50/20 4 flows", links: pair, flows: 4 },
  { name: "80/15+20/60 known", links: unequal, configured: true },
  { name: "80/15+20/60", links: unequal },
  { name: "80/15+20/60 up (20+5)", links: unequal, from: CLIENT },
  { name: "50/20+12/20", links: [dsl("a", 50, 20), dsl("b", 12, 20)] },
  { name: "50/20+50/70", links: [dsl("a", 50, 20), dsl("b", 50, 70)] },
  { name: "300/8+30/40", links: [dsl("a", 300, 8), dsl("b", 30, 40)] },
  { name: "50/20+50/40 1% loss", links: lossy },
  { name: "40/30+25/50 .5% loss", links: radio },
  { name: "30/30+steps 40>10>25>5", links: varying, seconds: 20, seeds: 3 },
  { name: "DSL x2 down known", links: article, configured: true },
  { name: "DSL x2 down", links: article, seeds: 3 },
  { name: "DSL x2 up", links: article, from: CLIENT },
  {
    name: "three: 50/20+30/40+10/30",
    links: [dsl("a", 50, 20), dsl("b", 30, 40), dsl("c", 10, 30)],
  },
  {
    name: "50/20+50/20 jitter 10",
    links: pair.map((link) => withBoth(link, { jitterUs: 10_000 })),
    seeds: 3,
  },
  {
    name: "50/20+50/20 reordering 4",
    links: pair.map((link) => withBoth(link, { jitterUs: 4_000, reorders: true })),
  },
  {
    name: "50/20+50/40 burst loss",
    links: [dsl("a", 50, 20), withBoth(dsl("b", 50, 40), { burstLoss: BURSTS })],
    seeds: 3,
  },
  { name: "30/30+mobile trace", links: mobile, seconds: 20, seeds: 3 },
  {
    name: "four: 50/20+30/40+20/30+8/60",
    links: [dsl("a", 50, 20), dsl("b", 30, 40), dsl("c", 20, 30), dsl("d", 8, 60)],
    seeds: 3,
  },
  { name: "NAT rebinds under load", links: rebinding, beside: [HEARTBEAT] },
  { name: "80/15+20/60 16 flows", links: unequal, flows: 16 },
  { name: "call + 4 flows", links: pair, flows: 4, beside: [CALL] },
  { name: "call + 4 flows, 80+20", links: unequal, flows: 4, beside: [CALL] },
  { name: "call + 4 flows, 1% loss", links: lossyPair, flows: 4, beside: [CALL], seeds: 3 },
  {
    name: "call twice + 4 flows, 1% loss",
    links: lossyPair,
    flows: 4,
    seeds: 3,
    beside: [CALL],
    rules: [CALLS_TWICE],
  },
  { name: "2 flows, one on a of 50+50", links: pair, flows: 2, rules: [FIRST_ON_A] },
  { name: "requests alone", links: pair, flows: 0, beside: [REQUESTS] },
  { name: "requests + 4 flows", links: pair, flows: 4, beside: [REQUESTS] },
  { name: "UDP 80 of 50+50", links: pair, flows: 0, beside: [{ kind: "udp", mbps: 80 }] },
  { name: "UDP 80 of 80/15+20/60", links: unequal, flows: 0, beside: [{ kind: "udp", mbps: 80 }] },
  { name: "BBR 50/20+50/20", links: pair, congestion: ["bbr"], seeds: 5 },
  { name: "BBR 80/15+20/60", links: unequal, congestion: ["bbr"], seeds: 15 },
  { name: "BBR 50/20+50/40 1% loss", links: lossy, congestion: ["bbr"], seeds: 3 },
  { name: "BBR beside CUBIC, 4 flows", links: pair, flows: 4, congestion: ["bbr", "cubic"] },
  {
    name: "blackhole of one, known",
    links: cut,
    configured: true,
    seconds: 30,
    seeds: 3,
    beside: [HEARTBEAT],
  },
  { name: "blackhole of one", links: cut, seconds: 30, seeds: 3, beside: [HEARTBEAT] },
  // These must not be slower than their best line, which carries 45.6 alone.
  { name: "50/20+5/600", links: [dsl("a", 50, 20), dsl("b", 5, 600)] },
  {
    name: "50/20+20/40 10% loss",
    links: [dsl("a", 50, 20), dsl("b", 20, 40, { both: { loss: 0.1 } })],
    seeds: 9,
  },
  {
    name: "50/20+10/300 5% loss",
    links: [dsl("a", 50, 20), dsl("b", 10, 300, { both: { loss: 0.05 } })],
    seeds: 3,
  },
  {
    name: "50/20+10/100 jitter 80",
    links: [dsl("a", 50, 20), withBoth(dsl("b", 10, 100), { jitterUs: 80_000 })],
    seeds: 15,
  },
  { name: "100/10+2/400", links: [dsl("a", 100, 10), dsl("b", 2, 400)] },
  { name: "unplugged one", links: unplugged, seconds: 30, beside: [HEARTBEAT] },
  { name: "steady 50/20+50/20", links: pair, schedule: "steady" },
  { name: "steady 80/15+20/60", links: unequal, schedule: "steady" },
  { name: "steady call + 4 flows", links: pair, flows: 4, beside: [CALL], schedule: "steady" },
  {
    name: "steady call + 16 flows, 80+20",
    links: unequal,
    flows: 16,
    beside: [CALL],
    schedule: "steady",
  },
  {
    name: "steady blackhole of one",
    links: cut,
    flows: 2,
    seconds: 30,
    beside: [HEARTBEAT],
    schedule: "steady",
  },
  { name: "redundant 50/20+50/20", links: pair, schedule: "redundant" },
  { name: "redundant 80/15+20/60", links: unequal, schedule: "redundant" },
  {
    name: "redundant UDP 10, 1% loss",
    links: lossyPair,
    flows: 0,
    beside: [{ kind: "udp", mbps: 10 }],
    schedule: "redundant",
  },
  {
    name: "redundant call, blackhole",
    links: cut,
    flows: 0,
    seconds: 30,
    beside: [CALL],
    schedule: "redundant",
  },
  ...MTU_SCENARIOS,
  ...VARYING_SCENARIOS,
  ...SHARED_SCENARIOS,
  ...BUSY_SCENARIOS,
];
