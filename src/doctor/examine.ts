/**
 * The examination itself: what is looked at, asked and measured, in which order.
 *
 * Links are looked at together where that disturbs nothing. One at a time is filled.
 *
 * @module
 */

import { compact } from "../config/compact.ts";
import type { ClientModeConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { LineTestResult } from "../tunnel/line_tests.ts";
import type { LinkStatus } from "../tunnel/options.ts";
import type { Facts } from "./facts.ts";
import { idleFacts, loadFacts, mappingOf, settledMtu } from "./measured.ts";
import { admit, isHopeless, isUp, type Patient } from "./patient.ts";
import { tryPorts } from "./port.ts";
import { askPortal } from "./portal.ts";
import type { Subject } from "./subject.ts";

/** Time of each measurement, in milliseconds. */
const IDLE_MS = 4_000;
const LOAD_MS = 5_000;
/** A link that is not up after this long has a problem: INITs have left five times. */
const PATIENCE_MS = 4_000;
/** The sizes that a link carries are found out in this time, if nothing is lost. */
const SIZES_MS = 6_000;
const LOOK_MS = 100;
/** Silences after which a NAT may have forgotten, in milliseconds. */
const SILENCES_MS = [15_000, 30_000, 60_000];

/** What is wanted besides the usual. */
export interface ExamineOptions {
  readonly config: ClientModeConfig;
  /** Names of the links to examine. */
  readonly links: readonly string[];
  readonly platform: Platform;
  /** Whether to fill each link, those that cost by the byte too. */
  readonly speed: boolean;
  readonly isCostWanted: boolean;
  /** Whether to find out how long a NAT remembers, which takes two minutes. */
  readonly long: boolean;
  /** A page that answers 204. */
  readonly portal: URL | undefined;
  /** Gets what is being done. */
  readonly onProgress: (text: string) => void;
}

/** Examines the links of a client by way of `subject`. */
export async function examine(subject: Subject, options: ExamineOptions): Promise<Facts> {
  return await new Examination(subject, options).run();
}

class Examination {
  readonly #subject: Subject;
  readonly #options: ExamineOptions;

  constructor(subject: Subject, options: ExamineOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  async run(): Promise<Facts> {
    const { platform, config, onProgress, portal, speed, long } = this.#options;
    onProgress("looking at this host");
    const clock = await platform.clockState();
    const patients = await Promise.all(
      config.links.filter(({ name }) => this.#options.links.includes(name))
        .map((link) => admit(link, platform)),
    );
    const anyUp = await this.#awaitLinks(patients);
    const [up, others] = [patients.filter(isUp), patients.filter((patient) => !isUp(patient))];
    // Datagrams that find out sizes are lost on purpose.
    await this.#awaitSizes(up);
    onProgress("measuring round trips and losses");
    await Promise.all([
      ...up.map((patient) => this.#measureIdle(patient)),
      ...others.map((patient) => this.#findReason(patient)),
      ...portal ? patients.map((patient) => this.#askPortal(patient, portal)) : [],
    ]);
    if (speed) { for (const patient of up) await this.#measureLoad(patient); }
    if (long) await this.#measureMapping(up);
    return {
      tunnel: config.name,
      isRunning: this.#subject.isRunning,
      ...clock && { clock },
      anyUp,
      links: patients.map(({ facts }) => facts),
    };
  }

  /** Waits until every link is up, or some time; a tunnel that runs has waited already. */
  async #awaitLinks(patients: readonly Patient[]): Promise<boolean> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const links = await this.#links();
      for (const patient of patients) {
        this.#note(patient, links.find(({ name }) => name === patient.facts.name));
      }
      const isOver = this.#subject.isRunning || performance.now() > end;
      if (isOver || patients.every((patient) => isUp(patient) || isHopeless(patient))) {
        return links.some(({ state }) => state === "up");
      }
      this.#options.onProgress("waiting for the server's answers");
      await delay(LOOK_MS);
    }
  }

  #note(patient: Patient, link: LinkStatus | undefined): void {
    const { name } = patient.facts;
    patient.facts = compact({
      ...patient.facts,
      local: this.#subject.localOf(name),
      socketProblem: this.#subject.socketProblemOf(name),
      server: link?.remote || patient.facts.server,
      isUp: link?.state === "up",
      unused: this.#subject.isRunning && link?.remote === "" ? link.reason : patient.facts.unused,
    });
  }

  async #measureIdle(patient: Patient): Promise<void> {
    const before = await this.#carriedBytes(patient);
    const result = await this.#test(patient, "idle", IDLE_MS);
    if (!result) return;
    const carried = await this.#carriedBytes(patient) - before;
    const { seenAs } = result;
    patient.facts = compact({
      ...patient.facts,
      idle: idleFacts(result, carried, IDLE_MS),
      seenAs,
    });
  }

  /** Finds out why a link does not work, as far as the network tells. */
  async #findReason(patient: Patient): Promise<void> {
    if (!patient.remote || isHopeless(patient)) return;
    const ports = await tryPorts(this.#options.platform, patient.socket, patient.remote);
    patient.facts = { ...patient.facts, ...ports };
  }

  async #askPortal(patient: Patient, url: URL): Promise<void> {
    if (isHopeless(patient)) return;
    const portal = await askPortal(this.#options.platform, patient.socket, url);
    patient.facts = { ...patient.facts, portal };
  }

  /** Waits until both directions have found out what they carry, at most some seconds. */
  async #awaitSizes(patients: readonly Patient[]): Promise<void> {
    const end = performance.now() + SIZES_MS;
    this.#options.onProgress("finding out the sizes that links carry");
    for (;;) {
      const links = await this.#links();
      let isDone = true;
      for (const patient of patients) {
        const link = links.find(({ name }) => name === patient.facts.name);
        if (!link) continue;
        patient.facts = { ...patient.facts, mtuUp: link.mtu, mtuDown: link.remoteMtu };
        isDone &&= settledMtu(link);
      }
      if (isDone || performance.now() > end) return;
      await delay(LOOK_MS);
    }
  }

  async #measureLoad(patient: Patient): Promise<void> {
    const { name, isCostly } = patient.facts;
    if (isCostly && !this.#options.isCostWanted) {
      const notFilled = "what it carries costs: name the link to have it filled";
      patient.facts = { ...patient.facts, notFilled };
      return;
    }
    const idleUs = patient.facts.idle?.rttUs ?? 0;
    for (const way of ["up", "down"] as const) {
      const words = way === "up" ? "upload" : "download";
      this.#options.onProgress(`${name}: ${words}, ${LOAD_MS / 1000} s`);
      const result = await this.#test(patient, way, LOAD_MS);
      if (result) patient.facts = { ...patient.facts, [way]: loadFacts(result, idleUs) };
    }
  }

  /** Leaves links alone, longer each time, until the server does not reach this end any more. */
  async #measureMapping(patients: readonly Patient[]): Promise<void> {
    if (this.#subject.isRunning) {
      const problem = "not looked at: the tunnel that runs would have to be silent";
      for (const patient of patients) {
        patient.facts = { ...patient.facts, mapping: { livesS: 0, problem } };
      }
      return;
    }
    let asked = [...patients];
    for (const silenceMs of SILENCES_MS) {
      const seconds = silenceMs / 1000;
      this.#options.onProgress(`silence of ${seconds} s: does the way back stay open?`);
      await Promise.all(asked.map(async (patient) => {
        const result = await this.#test(patient, "silence", silenceMs);
        const livesS = patient.facts.mapping?.livesS ?? 0;
        patient.facts = { ...patient.facts, mapping: mappingOf(result, livesS, seconds) };
      }));
      asked = asked.filter(({ facts }) => facts.mapping?.livesS === seconds);
      await this.#awaitLinks(patients);
    }
  }

  async #test(
    { facts }: Patient,
    way: "idle" | "up" | "down" | "silence",
    milliseconds: number,
  ): Promise<LineTestResult | undefined> {
    try {
      return await this.#subject.test(facts.name, way, milliseconds);
    } catch (error) {
      if (error instanceof AggvpnError) return undefined;
      throw error;
    }
  }

  async #links(): Promise<readonly LinkStatus[]> {
    return (await this.#subject.status()).peers[0]?.links ?? [];
  }

  async #carriedBytes({ facts }: Patient): Promise<number> {
    const link = (await this.#links()).find(({ name }) => name === facts.name);
    return link ? link.sentBytes + link.receivedBytes : 0;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
