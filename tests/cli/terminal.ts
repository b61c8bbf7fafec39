/**
 * A real terminal around the program, made by script(1), with a shell that tells how it was left.
 *
 * @module
 */

import { assert } from "@std/assert";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** Far longer than anything takes. */
const PATIENCE_MS = 60_000;

/** The program on a terminal of its own. */
export class TerminalRun implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #text = "";

  /** Runs the program with `args`, of which none has blanks, on a terminal of that size. */
  constructor(args: readonly string[], columns: number, rows: number) {
    const directory = this.#directory = Deno.makeTempDirSync({ prefix: "aggvpn-terminal-" });
    const program = `${Deno.execPath()} run -A ${MAIN} ${args.join(" ")}`;
    const lines = [
      "trap : INT", // what Ctrl-C sends is for the program alone
      `stty cols ${columns} rows ${rows}; tty > tty; stty -g > before`,
      `sh -c 'echo $$ > pid; exec ${program}' 2> errors`,
      "echo $? > code; stty -g > after",
    ];
    Deno.writeTextFileSync(`${directory}/run.sh`, lines.join("\n"));
    this.#child = new Deno.Command("script", {
      args: ["-qfc", "sh run.sh", "/dev/null"],
      cwd: directory,
      env: { LANG: "C.UTF-8", LC_ALL: "", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Everything that the terminal was told. */
  get text(): string {
    return this.#text;
  }

  /** The pictures so far, as lines without attributes. */
  get frames(): string[][] {
    return this.#text.split("\x1b[H").slice(1).map((frame) =>
      frame.split("\x1b[?7h")[0]!.split(/\r*\n/).map((line) =>
        // deno-lint-ignore no-control-regex
        line.replaceAll(/\x1b\[[0-9;]*[A-Za-z]/g, "")
      )
    );
  }

  /** Waits until the terminal shows what `isShown` wants. */
  async until(isShown: (run: this) => boolean): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!isShown(this)) {
      assert(performance.now() < end, `it was not shown: ${JSON.stringify(this.#text)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  async resize(columns: number, rows: number): Promise<void> {
    const args = ["-F", this.#file("tty"), "cols", `${columns}`, "rows", `${rows}`];
    await new Deno.Command("stty", { args }).output();
  }

  signal(signal: Deno.Signal): void {
    Deno.kill(Number(this.#file("pid")), signal);
  }

  /** Waits for the end; returns the exit status, and whether the terminal is as it was. */
  async end(): Promise<{ code: number; isClean: boolean; errors: string }> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    const [entered, left] = ["\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"].map((code) =>
      this.#text.split(code).length
    );
    return {
      code: Number(this.#file("code")),
      isClean: entered === left && this.#file("before") === this.#file("after"),
      errors: this.#file("errors"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await this.#reading;
    await this.#keys.close().catch(() => {});
    Deno.removeSync(this.#directory, { recursive: true });
  }

  #file(name: string): string {
    return Deno.readTextFileSync(`${this.#directory}/${name}`).trim();
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
    }
  }
}
