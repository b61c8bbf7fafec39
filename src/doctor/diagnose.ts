/**
 * From facts to findings.
 *
 * @module
 */

import { parseAddress, Prefix } from "../address.ts";
import type { Facts, IdleFacts, LinkFacts, LoadFacts, MappingFacts } from "./facts.ts";
import {
  fault,
  type Finding,
  megabits,
  milliseconds,
  note,
  ok,
  percent,
  skipped,
} from "./finding.ts";
import { BAD_GRADES, FULL_MTU_BYTES, gradeOf, LEAST_MTU_BYTES, SHORT_MAPPING_S } from "./grade.ts";
import { reachFindings } from "./reach.ts";

/** Carrier-grade NAT: RFC 6598. */
const SHARED = new Prefix(Uint8Array.of(100, 64, 0, 0), 10);

/** What is said of one link. */
export interface LinkDiagnosis {
  readonly facts: LinkFacts;
  readonly findings: readonly Finding[];
}

/** What is said of everything. */
export interface Diagnosis {
  readonly facts: Facts;
  /** Of this host. */
  readonly host: readonly Finding[];
  readonly links: readonly LinkDiagnosis[];
  readonly faults: number;
}

/** Says what `facts` mean. */
export function diagnose(facts: Facts): Diagnosis {
  const host = hostFindings(facts);
  const links = facts.links.map((link) => ({ facts: link, findings: linkFindings(link, facts) }));
  const all = [...host, ...links.flatMap(({ findings }) => findings)];
  return { facts, host, links, faults: all.filter(({ verdict }) => verdict === "fault").length };
}

function hostFindings({ clock }: Facts): Finding[] {
  if (clock === "synchronized") return [ok("clock", "it is kept right")];
  if (clock === undefined) return [skipped("clock", "this host does not say who keeps it right")];
  return [
    note(
      "clock",
      "nothing keeps it right",
      "Run an NTP client: a server does not answer a client whose clock has gone back.",
    ),
  ];
}

function linkFindings(link: LinkFacts, { anyUp }: Facts): Finding[] {
  const { idle, up, down, notFilled } = link;
  return [
    ...reachFindings(link, anyUp),
    ...idle ? idleFindings(idle) : [],
    ...sizeFindings(link),
    ...natFindings(link),
    ...up ? loadFindings("upload", up, idle) : [],
    ...down ? loadFindings("download", down, idle) : [],
    ...notFilled === undefined ? [] : [skipped("load", notFilled)],
    ...portalFindings(link),
  ];
}

function idleFindings(idle: IdleFacts): Finding[] {
  const { rttUs, jitterUs, probes, lossUp, lossDown } = idle;
  const beside = idle.isBusy ? ", beside the tunnel's packets" : "";
  const delay = `${milliseconds(rttUs)}, jitter ${milliseconds(jitterUs)}${beside}`;
  const lost = `${percent(lossUp)} up, ${percent(lossDown)} down of ${probes} probes${beside}`;
  const loss = idle.isLossy
    ? fault(
      "loss",
      lost,
      idle.isBusy
        ? "Try again while nothing uses it: a full link loses packets."
        : "Look at cables, Wi-Fi and the signal of this link; the tunnel sends again what is lost, " +
          "`max_loss` makes it a backup.",
    )
    : ok("loss", lost);
  return [ok("delay", delay), loss];
}

function sizeFindings({ mtuUp = 0, mtuDown = 0 }: LinkFacts): Finding[] {
  if (mtuUp === 0 || mtuDown === 0) return [];
  const text = `packets of ${mtuUp} bytes up, ${mtuDown} down`;
  const least = Math.min(mtuUp, mtuDown);
  if (least >= FULL_MTU_BYTES) return [ok("size", text)];
  if (least < LEAST_MTU_BYTES) {
    const advice = `IPv6 needs ${LEAST_MTU_BYTES}: look for a tunnel or an MTU that is set too ` +
      "small on the way.";
    return [fault("size", text, advice)];
  }
  return [note("size", text, "Usual for PPPoE, mobile and tunnels: nothing to do, aggvpn adapts.")];
}

function natFindings({ local, seenAs, mapping }: LinkFacts): Finding[] {
  const findings = seenAs === undefined ? [] : [ok("nat", natWords(local, seenAs))];
  if (!mapping) return findings;
  return [...findings, mappingFinding(mapping)];
}

function natWords(local: string | undefined, seenAs: string): string {
  if (local === seenAs) return `none: the server sees ${seenAs} too`;
  const port = /:(\d+)$/;
  const isKept = port.exec(local ?? "")?.[1] === port.exec(seenAs)?.[1];
  const own = parseAddress((local ?? "").replace(port, ""));
  const words = isKept ? "the port is kept" : "the port changes";
  if (!own || own.isUnspecified) return `the server sees ${seenAs}, ${words}`;
  const kind = own.family === 4 && SHARED.covers(own.toPrefix()) ? "carrier-grade NAT: " : "";
  return `${kind}${local} becomes ${seenAs}, ${words}`;
}

function mappingFinding(mapping: MappingFacts): Finding {
  const { livesS, endsS, problem } = mapping;
  if (problem !== undefined) return skipped("silence", problem);
  if (endsS === undefined) {
    return ok("silence", `the server still gets through after ${livesS} s without a packet`);
  }
  const text = livesS === 0
    ? `the server does not get through after ${endsS} s without a packet`
    : `the server gets through after ${livesS} s without a packet, not after ${endsS} s`;
  return endsS > SHORT_MAPPING_S ? ok("silence", text) : note(
    "silence",
    text,
    "The heartbeats of a tunnel keep it open: nothing to do, unless the router can be set.",
  );
}

function loadFindings(check: string, load: LoadFacts, idle: IdleFacts | undefined): Finding[] {
  if (load.problem !== undefined) return [skipped(check, load.problem)];
  const addedUs = Math.max(0, load.rttUs - (idle?.rttUs ?? load.rttUs));
  const grade = gradeOf(addedUs);
  const text = `${megabits(load.bps)}; when it is full a round trip takes ` +
    `${milliseconds(addedUs)} more: grade ${grade}`;
  if (!BAD_GRADES.includes(grade)) return [ok(check, text)];
  const advice = "Switch on SQM (cake, fq_codel) in this link's router, or send everything " +
    "through the tunnel, which does not fill the queue.";
  return [fault(check, text, advice)];
}

function portalFindings({ portal }: LinkFacts): Finding[] {
  if (!portal) return [];
  if (portal.state === "open") return [ok("portal", "none")];
  if (portal.state === "unknown") return [note("portal", portal.problem)];
  const text = `a captive portal answers: ${portal.by}`;
  return [fault("portal", text, "Log in there with a browser by this link; then it works.")];
}
