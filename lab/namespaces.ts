/**
 * Network namespaces that cannot be left behind: their names carry the process id of their maker,
 * everything made is undone at the end or on a signal, and the next run sweeps up what a killed one
 * left.
 *
 * @module
 */

import { missingTool } from "../tests/host_tools.ts";
import { attempt, Child, run } from "./process.ts";

const PREFIX = "agg";
/**
 * Runs a program before all ordinary ones, since it represents one on a host of its own, however
 * busy this host is. Where that is not allowed nice(1) says so and runs the program normally.
 */
const FIRST: readonly string[] = ["nice", "-n", "-19"];
const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What the lab lacks here and how to get it, in one line; undefined when it works. */
export function missingForLab(): string | undefined {
  return missingForNamespaces() ?? missingTool("ip");
}

/** The same, except for the programs that the lab starts. */
export function missingForNamespaces(): string | undefined {
  if (Deno.build.os !== "linux") return "network namespaces need Linux";
  if (Deno.uid() !== 0) return "not root: run it as root, for example with sudo";
  if (!exists("/dev/net/tun")) {
    return "no /dev/net/tun: load the module (modprobe tun), or in a container pass the device in";
  }
  return undefined;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A set of namespaces and processes that ends as one. */
export class Lab {
  readonly #namespaces: string[] = [];
  readonly #children = new Set<Child>();
  readonly #closers: (() => Promise<void> | void)[] = [];
  readonly #onSignal: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  private constructor() {}

  /**
   * An empty lab, after sweeping up what dead processes left. A signal closes it and ends the
   * process with status 130.
   */
  static async open(): Promise<Lab> {
    await sweep();
    const lab = new Lab();
    for (const signal of SIGNALS) {
      const listener = (): void => void lab.close().finally(end);
      Deno.addSignalListener(signal, listener);
      lab.#onSignal.push(() => Deno.removeSignalListener(signal, listener));
    }
    return lab;
  }

  /** Makes a namespace with loopback up; returns its full name. */
  async namespace(name: string): Promise<string> {
    const full = `${PREFIX}-${Deno.pid}-${name}`;
    this.#namespaces.push(full);
    await run(["ip", "netns", "add", full]);
    await run(["ip", "-n", full, "link", "set", "lo", "up"]);
    await this.sysctl(full, {
      "net/ipv4/tcp_no_metrics_save": "1",
      "net/ipv4/ip_forward": "1",
      "net/ipv4/conf/all/rp_filter": "0",
      "net/ipv4/conf/default/rp_filter": "0",
      "net/ipv6/conf/default/accept_dad": "0",
      "net/ipv6/conf/default/router_solicitations": "0",
    });
    return full;
  }

  /** Writes kernel settings of a namespace. */
  async sysctl(namespace: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const script = Object.entries(settings)
      .map(([key, value]) => `echo ${value} >/proc/sys/${key}`).join(" && ");
    await run(["ip", "netns", "exec", namespace, "sh", "-c", script]);
  }

  /** Runs several `ip` commands in a namespace, one per line, without the word `ip`. */
  async ip(namespace: string, ...lines: readonly string[]): Promise<void> {
    await run(["ip", "-n", namespace, "-batch", "-"], lines.join("\n") + "\n");
  }

  /** Starts a program in a namespace, ahead of everything else on the host. */
  spawn(namespace: string, command: readonly string[], options: { stdin?: boolean } = {}): Child {
    return this.own(new Child(["ip", "netns", "exec", namespace, ...FIRST, ...command], options));
  }

  /** Makes `child` end with the lab. */
  own(child: Child): Child {
    this.#children.add(child);
    child.status.then(() => this.#children.delete(child));
    return child;
  }

  /** Runs a program in a namespace to its end. */
  attempt(
    namespace: string,
    command: readonly string[],
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    return attempt(["ip", "netns", "exec", namespace, ...command]);
  }

  /** Calls `closer` when the lab closes, before its namespaces go; last first. */
  onClose(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  /** Ends every process and removes every namespace. May be called twice. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
    for (const closer of this.#closers.reverse()) await closer();
    for (const name of this.#namespaces) await remove(name);
    for (const off of this.#onSignal) off();
  }
}

/** Ends this process. A test may not exit: Deno would go on with the next file, and its labs. */
function end(): void {
  try {
    Deno.exit(130);
  } catch {
    Deno.kill(Deno.pid, "SIGKILL");
  }
}

/** Runs `body` in a lab that is closed afterwards, whatever happens. */
export async function withLab<T>(body: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.open();
  try {
    return await body(lab);
  } finally {
    await lab.close();
  }
}

/** Removes the namespaces of dead processes, and whatever still runs in them. */
async function sweep(): Promise<void> {
  const { stdout } = await attempt(["ip", "netns", "list"]);
  for (const [name, pid] of stdout.matchAll(/^agg-(\d+)-\S+/gm)) {
    if (pid !== undefined && !exists(`/proc/${pid}`)) await remove(name);
  }
}

async function remove(namespace: string): Promise<void> {
  const { stdout } = await attempt(["ip", "netns", "pids", namespace]);
  for (const pid of stdout.split("\n").map(Number).filter((pid) => pid > 1)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch { /* it has just ended */ }
  }
  await attempt(["ip", "netns", "delete", namespace]);
}
