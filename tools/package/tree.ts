/**
 * A directory that becomes an archive: the same files give the same bytes, whoever made them when.
 *
 * @module
 */

import { gzipSync } from "node:zlib";

/** A tree of files under a directory. */
export class Tree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Writes the file `path`, relative to the root, with the directories above it. */
  async write(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    await this.makeDirectory(path.slice(0, path.lastIndexOf("/")));
    await Deno.writeFile(`${this.root}/${path}`, bytes);
    await Deno.chmod(`${this.root}/${path}`, mode);
  }

  /** The same, compressed as Debian asks for; `path` ends in .gz. */
  async writeGzip(path: string, text: string): Promise<void> {
    await this.write(path, gzipSync(new TextEncoder().encode(text), { level: 9 }));
  }

  /** Copies a directory of files that everybody may read; programs stay programs. */
  async copy(from: string, to: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(from)) {
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      if (isDirectory) await this.copy(source, target);
      else {
        const isProgram = ((await Deno.stat(source)).mode! & 0o100) !== 0;
        await this.write(target, await Deno.readFile(source), isProgram ? 0o755 : 0o644);
      }
    }
  }

  /** Makes a directory, whatever the umask. */
  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    let whole = this.root;
    for (const name of path.split("/").filter(Boolean)) {
      whole += `/${name}`;
      if (await Deno.stat(whole).then(() => true, () => false)) continue;
      await Deno.mkdir(whole);
      await Deno.chmod(whole, 0o755);
    }
    await Deno.chmod(whole, mode);
  }

  /** Sets the time of everything. */
  async setTime(date: Date): Promise<void> {
    for (const path of [...await this.files(), ...await this.#directories(""), ""]) {
      await Deno.utime(`${this.root}/${path}`, date, date);
    }
  }

  /** Paths of all files, relative to the root and sorted. */
  async files(below = ""): Promise<string[]> {
    const paths: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(`${this.root}/${below}`)) {
      const path = below === "" ? name : `${below}/${name}`;
      if (isDirectory) paths.push(...await this.files(path));
      else paths.push(path);
    }
    return paths.sort();
  }

  async #directories(below: string): Promise<string[]> {
    const paths: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(`${this.root}/${below}`)) {
      const path = below === "" ? name : `${below}/${name}`;
      if (isDirectory) paths.push(path, ...await this.#directories(path));
    }
    return paths;
  }
}

/** Runs a program; throws with what it said when it fails. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env" | "stdin"> = {},
): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], ...options });
  const { success, stdout, stderr } = await command.output().catch((error) => {
    throw new Error(`Cannot run ${program}: ${error.message}`);
  });
  const answer = new TextDecoder().decode(stdout);
  if (success) return answer;
  throw new Error(`${program} failed:\n${answer}${new TextDecoder().decode(stderr)}`);
}
