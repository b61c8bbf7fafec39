/**
 * How busy the whole machine was during a measurement: other programs make figures worse, and a
 * reader should see that.
 *
 * @module
 */

/** Unit of the times in /proc: USER_HZ, 100 on every Linux architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** State of the machine over a measurement. */
export interface Machine {
  /** Load average over a minute when it began. */
  readonly load: number;
  /** Unused share of all CPU time, 0 to 1. */
  readonly idle: number;
  /** Share that the host of a virtual machine took for others. */
  readonly stolen: number;
  /** Share that went to processes unrelated to the measurement. */
  readonly others: number;
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

/** CPU time of this process and of its children that have ended, in the same units. */
function ownTime(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  // utime stime cutime cstime, counted from the state (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15);
  return fields.reduce((sum, value) => sum + Number(value), 0);
}

/** Watches the machine from its construction on. */
export class MachineMeter {
  readonly #load = Deno.loadavg()[0] ?? NaN;
  readonly #before = readTimes();
  readonly #ownBefore = ownTime();

  /** `running`: CPU time of children that still run, in seconds since the construction. */
  read(running: number): Machine {
    const now = readTimes();
    const total = Math.max(1, now.total - this.#before.total);
    const idle = (now.idle - this.#before.idle) / total;
    const stolen = (now.stolen - this.#before.stolen) / total;
    const own = (ownTime() - this.#ownBefore + running * TICKS_PER_SECOND) / total;
    return { load: this.#load, idle, stolen, others: Math.max(0, 1 - idle - stolen - own) };
  }
}
