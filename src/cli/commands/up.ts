/** `aggvpn up`: runs a tunnel in the foreground. */

import type { Config } from "../../config/config.ts";
import { openControl, type Requests } from "../../control/server.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import type { HttpServices } from "../../daemon/http_services.ts";
import type { RunningTunnel } from "../../daemon/requests.ts";
import type { FileReading, RunningConfigOptions } from "../../daemon/running_config.ts";
import { detectPlatform } from "../../platform/detect.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Command, Shell } from "../command.ts";
import { loadFile, readConfig } from "../load.ts";
import { startLog } from "../log.ts";
import { PatientStream } from "../patient_stream.ts";

/** How long the end waits for somebody to read what was written, in milliseconds. */
const FLUSH_MS = 1000;

/** Runs a tunnel until it is told to stop. */
export const up: Command = {
  name: "up",
  operands: "FILE",
  summary: "Run the tunnel of a configuration file",
  description:
    `Opens the tunnel interface, sets its addresses and routes, and carries packets until it
is stopped. It stays in the foreground: let rc.d or systemd run it. One line on standard output
says when the tunnel is set up.

SIGTERM and SIGINT end it cleanly: the peer is told and every change of the system is
undone in reverse. A second signal quits at once. SIGHUP does the same as SIGTERM when
standard input is a terminal, since that terminal is gone; otherwise it does what \`aggvpn reload\`
does. SIGUSR1, SIGUSR2 and SIGALRM are ignored.`,
  flags: { verbose: { doc: "Print each change to the system, and its undoing", short: "v" } },

  async run(shell, { operands, flags }): Promise<number> {
    const file = operands[0]!;
    const { config, document } = loadFile(file, shell.stderr);
    const platform = detectPlatform();
    const log = startLog({ level: config.logLevel, format: config.logFormat }, platform);
    const stderr = log.stream;
    const stdout = new PatientStream(Deno.stdout, () => "");
    const patient = { ...shell, stdout: stdout.write, stderr: stderr.write };
    using stopping = new StopSignals();
    try {
      return await runTunnel({
        shell: patient,
        config,
        platform,
        verbose: flags.verbose === true,
        stopping,
        started: { config, document, problems: [] },
        read: (more) => readConfig(file, more),
        setLogLevel: log.setLevel,
      });
    } catch (error) {
      // Whoever prints the error would wait for the reader, and the program would never end.
      if (!await stderr.flush(FLUSH_MS)) Deno.exit(exitCodeOf(error));
      throw error;
    } finally {
      await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
    }
  },
};

function exitCodeOf(error: unknown): number {
  return error instanceof AggvpnError ? error.exitCode : EXIT.failure;
}

/** What a tunnel runs with, and what it needs to take on its file again. */
interface Run extends Pick<RunningConfigOptions, "read" | "setLogLevel"> {
  readonly shell: Shell;
  readonly config: Config;
  readonly platform: Platform;
  readonly verbose: boolean;
  readonly stopping: StopSignals;
  readonly started: FileReading;
}

async function runTunnel(run: Run): Promise<number> {
  const { shell, config, platform, verbose, stopping } = run;
  // Imported here: the ciphers' tables would cost every other command a quarter of its time.
  const { openDaemon } = await import("../../daemon/daemon.ts");
  const { controlRequests } = await import("../../daemon/requests.ts");
  const { RunningConfig } = await import("../../daemon/running_config.ts");
  const { ChangeJournal, undoAllLeftOvers } = await import("../../daemon/change_journal.ts");
  const { startService } = await import("../../daemon/service.ts");
  const { ServiceNotifier } = await import("../../daemon/service_notifier.ts");
  platform.secureSignals();
  platform.raisePriority();
  await using stack = new AsyncDisposableStack();
  const manager = ServiceNotifier.open({ platform, env: (name) => Deno.env.get(name) });
  stack.defer(() => manager.close());
  manager.status("Setting up");
  const running: { tunnel?: RunningTunnel | undefined } = {};
  const { requests, streams } = controlRequests(() => running.tunnel);
  const http = await loadHttp(config, () => running.tunnel?.daemon, requests);
  const control = await openControl(
    config.control,
    { ...requests, ...http?.requests },
    streams,
  );
  stack.defer(() => control.close());
  http?.open(stack); // before rights are given up
  await undoAllLeftOvers(config.control, undefined, config.tunnel.leakGuard);
  const daemon = stack.use(
    await openDaemon({
      config,
      platform,
      journal: new ChangeJournal(config.control),
      onChange: (line) => verbose && shell.stderr(line + "\n"),
      stopping: stopping.signal,
    }),
  );
  const inForce = new RunningConfig(
    { tunnel: daemon, read: run.read, setLogLevel: run.setLogLevel, wallMs: Date.now, manager },
    run.started,
  );
  stack.defer(() => inForce.close());
  running.tunnel = { daemon, config: inForce };
  // Nobody is to ask a tunnel that is taken apart, least of all once a second.
  stack.defer(() => running.tunnel = undefined);
  shell.stdout(readyLine(daemon));
  manager.ready();
  startService(manager, daemon, stack);
  stopping.onStop(() => {
    manager.stopping();
    daemon.stop();
  });
  // What is wrong is in the log.
  stopping.onHangup(() => void inForce.reload("SIGHUP").catch(passRefusal));
  await daemon.run();
  return EXIT.ok;
}

/** Metrics and the dashboard, of which nothing is loaded where they are not configured. */
async function loadHttp(
  config: Config,
  current: () => Daemon | undefined,
  requests: Requests,
): Promise<HttpServices | undefined> {
  if (!config.metrics && !config.dashboard) return undefined;
  const { httpServices } = await import("../../daemon/http_services.ts");
  return httpServices(config, current, requests);
}

/** Throws what is no refusal of a configuration. */
function passRefusal(error: unknown): void {
  if (!(error instanceof AggvpnError)) throw error;
}

function readyLine(daemon: Daemon): string {
  const sockets = daemon.socketNames.join(", ") || "none yet";
  return `${daemon.interface} is ready: mtu ${daemon.mtu}, links ${sockets}\n`;
}

/** Signals that mean nothing here and would end the program with everything in place. */
const IGNORED: readonly Deno.Signal[] = ["SIGUSR2", "SIGALRM"];

/** The signals that end a tunnel: the first one cleanly, the second one at once. */
class StopSignals implements Disposable {
  readonly #aborter = new AbortController();
  #isStopping = false;
  #stop: (() => void) | undefined;
  readonly #onSignal = (): void => {
    if (this.#isStopping) Deno.exit(EXIT.failure);
    this.#isStopping = true;
    this.#aborter.abort();
    this.#stop?.();
  };
  /** Asked at the start: a terminal that has gone away no longer counts as one. */
  readonly #hasTerminal = Deno.stdin.isTerminal();
  #reload: (() => void) | undefined;
  /** Whether a reload was asked for before there was anything to reload. */
  #isReloadDue = false;
  readonly #onHangup = (): void => {
    if (this.#isStopping) return;
    if (this.#hasTerminal) this.#onSignal();
    else if (this.#reload) this.#reload();
    else this.#isReloadDue = true;
  };

  constructor() {
    // Handlers, which commands and hooks do not inherit.
    for (const signal of IGNORED) Deno.addSignalListener(signal, ignore);
    Deno.addSignalListener("SIGTERM", this.#onSignal);
    Deno.addSignalListener("SIGINT", this.#onSignal);
    Deno.addSignalListener("SIGHUP", this.#onHangup);
  }

  /** Aborted with the first signal. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Arranges for `stop` to be called on the first signal, or at once if that has already come. */
  onStop(stop: () => void): void {
    this.#stop = stop;
    if (this.#isStopping) stop();
  }

  /** Arranges for `reload` to be called on SIGHUP, unless that means the end. */
  onHangup(reload: () => void): void {
    this.#reload = reload;
    if (this.#isReloadDue) reload();
  }

  [Symbol.dispose](): void {
    for (const signal of IGNORED) Deno.removeSignalListener(signal, ignore);
    Deno.removeSignalListener("SIGTERM", this.#onSignal);
    Deno.removeSignalListener("SIGINT", this.#onSignal);
    Deno.removeSignalListener("SIGHUP", this.#onHangup);
  }
}

function ignore(): void {}
