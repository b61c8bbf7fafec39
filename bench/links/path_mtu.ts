/**
 * Lines that carry less than 1500 bytes and lose what is larger without a word, with nothing
 * configured. Each case is a download and an upload.
 *
 * A tunnel that has found what its lines carry gives its packets the size that fits the narrowest,
 * `m`. Of an IP packet of `m` bytes on a line, `m - 66 - 52` are TCP payload: 66 is what the tunnel
 * adds (IPv4), 52 are the headers inside (IPv4, TCP with time stamps). So the target of a row is
 *
 *     95 % * S(1500) * payload(m) / payload(1500)     payload(m) = (m - 118) / m
 *
 * where S(1500) is what lines of the same rates give at 1500 bytes, the first case of the group. The
 * 5 % are for finding out, and for the moment in which a line gets narrower.
 *
 * The tunnels have no IPv6: it needs packets of 1280 bytes (RFC 8200 section 5), which a line that
 * carries 1280 with the tunnel's 66 cannot have.
 *
 * @module
 */

import { PACKET_OVERHEAD_BYTES } from "../../src/wire/overhead.ts";
import { type LineSpec, symmetric } from "../../lab/topology.ts";
import type { Event, Scenario } from "./scenario.ts";
import { both, BULK, goodput } from "./targets.ts";

/** What the first case of the group reaches, in percent; its target is a little below. */
const AT_1500_PERCENT = 91;
const PLAIN_TARGET_PERCENT = 90;
/** Of it, what finding out may cost. */
const KEPT = 0.95;
/** IPv4, TCP and its time stamps. */
const TCP_HEADERS_BYTES = 52;
/** The middle of what is measured. */
const MIDDLE_S = (BULK.warmUpSeconds + BULK.seconds) / 2;

/** Share of an IP packet of `mtu` bytes on a line that is TCP payload. */
function payloadShare(mtu: number): number {
  return (mtu - PACKET_OVERHEAD_BYTES[4] - TCP_HEADERS_BYTES) / mtu;
}

/** The target of a case whose narrowest line carries `mtu`, in percent with one decimal. */
export function targetPercent(mtu: number): number {
  const percent = KEPT * AT_1500_PERCENT * payloadShare(mtu) / payloadShare(1500);
  return Math.round(percent * 10) / 10;
}

/** A line of 20 Mbit/s and 20 ms that carries `mtu` bytes, and `upMtu` to the server. */
function narrow(mtu: number, upMtu = mtu): LineSpec {
  return {
    down: symmetric(20, 20, { mtu }).down,
    up: symmetric(20, 20, { mtu: upMtu }).up,
  };
}

/** A case in both directions. */
function eachWay(
  name: string,
  title: string,
  lines: readonly LineSpec[],
  percent: number,
  events: readonly Event[] = [],
): Scenario[] {
  return [
    goodput(name, `${title}, down`, lines, percent, { traffic: { events } }),
    goodput(`${name}-up`, `${title}, up`, lines, percent, { traffic: { events, way: "up" } }),
  ].map((scenario) => ({ ...scenario, program: { ipv4Only: true } }));
}

/** All cases, the one to compare with first. */
export const PATH_MTU: readonly Scenario[] = [
  ...eachWay("mtu-1500", "20/20 x2, 1500", [narrow(1500), narrow(1500)], PLAIN_TARGET_PERCENT),
  ...eachWay("pppoe", "pppoe 1492 x2", [narrow(1492), narrow(1492)], targetPercent(1492)),
  ...eachWay("one-pppoe", "1500 + 1492", [narrow(1500), narrow(1492)], targetPercent(1492)),
  ...eachWay("narrow", "1420 + 1280", [narrow(1420), narrow(1280)], targetPercent(1280)),
  ...eachWay(
    "narrow-down",
    "one direction narrow: x2, down 1492, up 1500",
    [narrow(1492, 1500), narrow(1492, 1500)],
    targetPercent(1492),
  ),
  ...eachWay(
    "shrinks",
    `shrinks in the middle: 1500 x2, one 1400 from ${MIDDLE_S} s on`,
    [narrow(1500), narrow(1500)],
    targetPercent(1400),
    [both(MIDDLE_S, 1, { mtu: 1400 })],
  ),
];
