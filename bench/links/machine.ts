/**
 * How busy the whole machine was during a measurement: what else ran makes
 * figures worse, and a reader should see it.
 *
 * @module
 */

/** State of the machine over a measurement. */
export interface Machine {
  /** Load average over a minute when it began. */
  readonly load: number;
  /** Share of all CPU time that nobody used, 0 to 1. */
  readonly idle: number;
  /** Share that the host of a virtual machine took for others. */
  readonly stolen: number;
}

/** Times of all CPUs together, in the units of /proc/stat (proc_stat(5)). */
interface Times {
  readonly total: number;
  readonly idle: number;
  readonly stolen: number;
}

function readTimes(): Times {
  const [line = ""] = Deno.readTextFileSync("/proc/stat").split("\n");
  // user nice system idle iowait irq softirq steal; guests are part of user.
  const fields = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = fields.reduce((sum, value) => sum + value, 0);
  return { total, idle: (fields[3] ?? 0) + (fields[4] ?? 0), stolen: fields[7] ?? 0 };
}

/** Watches the machine from its making on. */
export class MachineMeter {
  readonly #load = Deno.loadavg()[0] ?? NaN;
  readonly #before = readTimes();

  read(): Machine {
    const now = readTimes();
    const total = Math.max(1, now.total - this.#before.total);
    return {
      load: this.#load,
      idle: (now.idle - this.#before.idle) / total,
      stolen: (now.stolen - this.#before.stolen) / total,
    };
  }
}
