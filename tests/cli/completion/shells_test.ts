/**
 * The scripts in real shells: each types a line and a tab, as far as it can without a terminal.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { completionScript, type ShellName, SHELLS } from "../../../src/cli/completion/scripts.ts";
import { run } from "../../../src/cli/main.ts";
import { type HostTool, missingTool, skippedFor } from "../../host_tools.ts";
import { captureOutput } from "../capture.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

/** What a user's start-up file has done before. */
const PRELUDES = { bash: "", fish: "", ksh: "", zsh: "autoload -U compinit; compinit -u -D; " };

/** A shell with `aggvpn` on its path, in a directory with a file and a folder. */
class Shell implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "aggvpn-shell-" });

  constructor(readonly name: ShellName, readonly program: readonly string[]) {
    Deno.mkdirSync(`${this.#directory}/bin`);
    Deno.mkdirSync(`${this.#directory}/work/more`, { recursive: true });
    Deno.writeTextFileSync(`${this.#directory}/work/my client.toml`, "");
    Deno.writeTextFileSync(`${this.#directory}/script`, completionScript(name, COMMANDS));
    const text = `#!/bin/sh\nexec '${Deno.execPath()}' run -A --quiet '${MAIN}' "$@"\n`;
    Deno.writeTextFileSync(`${this.#directory}/bin/aggvpn`, text, { mode: 0o755 });
  }

  /** Runs `script`, which begins with the completions, and returns the lines of its output. */
  async run(script: string): Promise<string[]> {
    const [program = "", ...args] = this.program;
    const { stdout, stderr, success } = await new Deno.Command(program, {
      args: [...args, "-c", `${PRELUDES[this.name]}. ${this.#directory}/script\n${script}`],
      cwd: `${this.#directory}/work`,
      env: {
        HOME: this.#directory,
        PATH: `${this.#directory}/bin:${Deno.env.get("PATH")}`,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      },
      // A shell that waits for what never comes.
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert(success, `${text}${new TextDecoder().decode(stderr)}`);
    assertEquals(new TextDecoder().decode(stderr), "");
    return text.split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function shellTest(
  name: ShellName,
  tool: HostTool,
  args: readonly string[],
  body: (shell: Shell) => Promise<void>,
): void {
  Deno.test({
    ...skippedFor(missingTool(tool), `the completions of ${name} work in ${tool}`),
    fn: async () => {
      await using shell = new Shell(name, [tool, ...args]);
      await body(shell);
    },
  });
}

const COMMAND_NAMES = COMMANDS.map((command) => command.name);

shellTest("bash", "bash", ["--norc"], async (shell) => {
  const type = async (line: string): Promise<string[]> =>
    await shell.run(`COMP_LINE='${line}' COMP_POINT=${line.length}
      _aggvpn; printf '%s\\n' "\${COMPREPLY[@]}"`);
  assertEquals(await type("aggvpn "), COMMAND_NAMES);
  assertEquals(await type("aggvpn stat"), ["status"]);
  assertEquals(await type("aggvpn up "), ["more", "my client.toml"]);
  assertEquals(await type("aggvpn up mo"), ["more"]);
  // Behind the "=", where readline begins a word.
  assertEquals(await type("aggvpn --color=a"), ["auto", "always"]);
  assertEquals(await type("aggvpn up --verb"), ["--verbose"]);
  const lines = await shell.run("complete -p aggvpn");
  assertEquals(lines, ["complete -F _aggvpn aggvpn"]);
});

shellTest("fish", "fish", ["--no-config"], async (shell) => {
  const type = async (line: string): Promise<string[]> =>
    (await shell.run(`complete -C '${line}'`)).map((found) => found.replace(/\t.*/, ""));
  assertEquals(await type("aggvpn "), [...COMMAND_NAMES].sort());
  assertEquals(await type("aggvpn stat"), ["status"]);
  assertEquals(await type("aggvpn up m"), ["more/", "my client.toml"]);
  assertEquals(await type("aggvpn up --verb"), ["--verbose"]);
  assertEquals((await type("aggvpn --color=n")).sort(), ["--color=never"]);
});

shellTest("zsh", "zsh", ["-f"], async (shell) => {
  // A zsh in a pseudo-terminal of another one, which lists what it would complete.
  const type = async (line: string): Promise<string> =>
    (await shell.run(`
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -D"
      zpty -w z ". $HOME/script; bindkey '^I' list-choices; zstyle ':completion:*' list-separator '#'"
      zpty -w z "PS1='re''ady> '"
      # Before it prompts, the terminal itself would act on control characters.
      zpty -r -m z _all '*ready> *'
      zpty -w -n z $'${line}\\t\\025print -r -- do""ne\\n'
      zpty -r -m z _all '*done*'
      print -r -- "$_all"
      zpty -d z`)).join("\n");
  const commands = await type("aggvpn ");
  for (const name of COMMAND_NAMES) assert(commands.includes(name), `${name}: ${commands}`);
  assert((await type("aggvpn up ")).includes("more"));
  assert((await type("aggvpn up --color=")).includes("--color=always"));
});

shellTest("ksh", "mksh", [], async (shell) => {
  const lists = await shell.run(
    "printf '%s\\n' \"${complete_aggvpn_1[@]}\"; echo; printf '%s\\n' \"${complete_aggvpn_2[@]}\"",
  );
  for (const word of [...COMMAND_NAMES, "--version", "--verbose", "config", "bash"]) {
    assert(lists.includes(word), word);
  }
  assertEquals(
    (await shell.run("printf '%s\\n' \"${complete_aggvpn[@]}\"")).includes("--json"),
    true,
  );
});

Deno.test("completions prints the script of a shell, and refuses others", async () => {
  for (const shell of SHELLS) {
    const output = captureOutput();
    assertEquals(await run(["completions", shell], output), 0);
    assertEquals(output.out, completionScript(shell, COMMANDS));
  }
  const output = captureOutput();
  assertEquals(await run(["completions", "tcsh"], output), 2);
  assertEquals(
    output.err,
    'aggvpn: No completions for "tcsh"\nhint: Use one of bash, zsh, fish, ksh\n',
  );
});

Deno.test("__complete answers with a line for each candidate", async () => {
  const output = captureOutput();
  assertEquals(await run(["__complete", "stat"], output), 0);
  assertEquals(output.out, "status\tShow the state of a tunnel and its links\n");
});
