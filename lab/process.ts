/**
 * Child processes of the lab that talk in lines on stdout.
 *
 * @module
 */

/** Environment of every child: no update check, no colours, no node shim. */
const CHILD_ENV: Readonly<Record<string, string>> = {
  DENO_NO_UPDATE_CHECK: "1",
  DENO_DISABLE_NODE_SHIM: "1",
  NO_COLOR: "1",
};

/** How to start one of the lab's own programs: with this same Deno. */
export function labCommand(module: string, ...args: readonly string[]): string[] {
  const path = new URL(module, import.meta.url).pathname;
  // QUIC is among the unstable parts of Deno's network.
  const flags = ["--no-check", "--quiet", "--unstable-net", "-A"];
  return [Deno.execPath(), "run", ...flags, path, ...args];
}

/** A running child whose stdout is read line by line. */
export class Child {
  readonly command: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #lines: string[] = [];
  readonly #stderr: string[] = [];
  readonly #reading: Promise<void>;
  readonly status: Promise<Deno.CommandStatus>;
  #waiting: (() => void)[] = [];
  #open = 2;
  #exited = false;

  constructor(command: readonly string[], options: { stdin?: boolean } = {}) {
    this.command = command;
    const [program = "", ...args] = command;
    this.#child = new Deno.Command(program, {
      args,
      env: { ...CHILD_ENV },
      stdin: options.stdin ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = options.stdin ? this.#child.stdin.getWriter() : undefined;
    this.#reading = Promise.all([
      this.#read(this.#child.stdout, this.#lines),
      this.#read(this.#child.stderr, this.#stderr),
    ]).then(() => undefined);
    this.status = this.#child.status.then((status) => {
      this.#exited = true;
      this.#wake();
      return status;
    });
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has ended. */
  get exited(): boolean {
    return this.#exited;
  }

  /** Lines of stderr so far. */
  get stderr(): readonly string[] {
    return this.#stderr;
  }

  /** Unread lines of stdout. */
  get stdout(): readonly string[] {
    return this.#lines;
  }

  /** Sends one line to its stdin. */
  async write(line: string): Promise<void> {
    await this.#stdin?.write(new TextEncoder().encode(line + "\n"));
  }

  /** The next line of stdout, or undefined at its end. */
  async line(): Promise<string | undefined> {
    while (this.#lines.length === 0 && this.#open > 0) await this.#changed();
    return this.#lines.shift();
  }

  /** Waits until a line of stderr or stdout contains `text`; false when it ends or time runs out. */
  async says(text: string, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      if ([...this.#stderr, ...this.#lines].some((line) => line.includes(text))) return true;
      if (this.#open === 0 || performance.now() >= end) return false;
      await this.#changed(Math.min(50, end - performance.now()));
    }
  }

  /** Sends a signal; nothing happens when it has ended. */
  kill(signal: Deno.Signal): void {
    if (this.#exited) return;
    try {
      this.#child.kill(signal);
    } catch { /* it has just ended */ }
  }

  /** Asks it to end, makes it end after `graceMs`, and waits until its output is read. */
  async stop(signal: Deno.Signal = "SIGTERM", graceMs = 3000): Promise<Deno.CommandStatus> {
    await this.#stdin?.close().catch(() => {});
    this.kill(signal);
    const timer = setTimeout(() => this.kill("SIGKILL"), graceMs);
    const status = await this.status;
    clearTimeout(timer);
    await this.#reading;
    return status;
  }

  /** Waits for its end; kills it when that takes longer than `timeoutMs`. */
  async finish(timeoutMs: number): Promise<Deno.CommandStatus> {
    const timer = setTimeout(() => this.kill("SIGKILL"), timeoutMs);
    const status = await this.status;
    clearTimeout(timer);
    await this.#reading;
    await this.#stdin?.close().catch(() => {});
    return status;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: string[]): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      into.push(...lines);
      this.#wake();
    }
    if (rest !== "") into.push(rest);
    this.#open--;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((resolve) => resolve());
  }

  #changed(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Runs a command to its end; throws with its output when it fails. */
export async function run(command: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, stdin);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}: ${stderr || stdout}`);
  return stdout;
}

/** Runs a command to its end and returns its output, whatever its status. */
export async function attempt(
  command: readonly string[],
  stdin?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    env: { ...CHILD_ENV },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const output = await child.output();
  const text = new TextDecoder();
  return {
    code: output.code,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}
