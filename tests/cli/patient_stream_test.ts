import { assert, assertEquals } from "@std/assert";
import { type AsyncStream, PatientStream } from "../../src/cli/patient_stream.ts";

const LINE = "x".repeat(99) + "\n";

/** A stream that takes what it is told to. */
class FakeStream implements AsyncStream {
  text = "";
  writes = 0;
  /** What the next writes meet: an error, or how many bytes they take at most. */
  readonly next: (Error | number)[] = [];
  #isStuck = false;
  #resume = (): void => {};

  async write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      if (!this.#isStuck) resolve();
    });
    const next = this.next.shift() ?? Infinity;
    if (next instanceof Error) throw next;
    const count = Math.min(next, bytes.length);
    this.text += new TextDecoder().decode(bytes.subarray(0, count));
    return count;
  }

  set isStuck(value: boolean) {
    this.#isStuck = value;
    if (!value) this.#resume();
  }
}

function open(stream: AsyncStream): PatientStream {
  return new PatientStream(stream, (lost) => `${lost} lost\n`);
}

Deno.test("PatientStream writes texts in order, going on where a short write ended", async () => {
  const stream = new FakeStream();
  stream.next.push(3, 1);
  const { write, flush } = openBound(stream);
  for (const text of ["häuser\n", "", "b\n", "c\n"]) write(text);
  assertEquals(await flush(), true);
  assertEquals(stream.text, "häuser\nb\nc\n");
});

function openBound(stream: AsyncStream): {
  write: (text: string) => void;
  flush: () => Promise<boolean>;
} {
  const patient = open(stream);
  return { write: patient.write, flush: () => patient.flush(5000) };
}

Deno.test("PatientStream keeps 64 KiB for a reader that stops, and counts the rest", async () => {
  const stream = new FakeStream();
  stream.isStuck = true;
  const patient = open(stream);
  for (let i = 0; i < 100_000; i++) patient.write(LINE);
  assertEquals(await patient.flush(10), false);
  assertEquals(stream.writes, 1);
  stream.isStuck = false;
  assertEquals(await patient.flush(5000), true);
  const lines = stream.text.split("\n");
  const kept = lines.filter((line) => line + "\n" === LINE).length;
  assert(kept >= 650 && kept <= 700, `${kept}`);
  assertEquals(lines.slice(kept), [`${100_000 - kept} lost`, ""]);
  patient.write("more\n");
  await patient.flush(5000);
  assert(stream.text.endsWith("lost\nmore\n"));
});

Deno.test("PatientStream tries again, now and then, when the stream would block", async () => {
  const stream = new FakeStream();
  stream.next.push(new Deno.errors.WouldBlock("later"), new Deno.errors.WouldBlock("later"));
  const { write, flush } = openBound(stream);
  const start = performance.now();
  write("a\n");
  assertEquals(await flush(), true);
  assertEquals([stream.text, stream.writes], ["a\n", 3]);
  assert(performance.now() - start > 150);
});

Deno.test("PatientStream writes nothing more once the reader has gone", async () => {
  const stream = new FakeStream();
  stream.next.push(new Deno.errors.BrokenPipe("gone"));
  const { write, flush } = openBound(stream);
  write("a\n");
  assertEquals(await flush(), true);
  write("b\n");
  assertEquals([await flush(), stream.writes], [true, 1]);
});

Deno.test("PatientStream goes on when a disk has room again", async () => {
  const stream = new FakeStream();
  stream.next.push(new Error("No space left on device"));
  const { write, flush } = openBound(stream);
  write("a\n");
  write("b\n");
  assertEquals(await flush(), true);
  write("c\n");
  assertEquals(await flush(), true);
  assertEquals(stream.text, "2 lost\nc\n");
});

/** Writes far more than a pipe holds to a standard error that nobody reads. */
const SCRIPT = `
import { PatientStream } from "${new URL("../../src/cli/patient_stream.ts", import.meta.url)}";
const stream = new PatientStream(Deno.stderr, (lost) => lost + " lost\\n");
for (let i = 0; i < 50; i++) {
  for (let k = 0; k < 100; k++) stream.write("x".repeat(99) + "\\n");
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const isWritten = await stream.flush(100);
Deno.stdout.writeSync(new TextEncoder().encode(isWritten + "\\n"));
Deno.exit(0);
`;

for (const way of ["blocks", "does not block"] as const) {
  Deno.test({
    name: `PatientStream does not wait for a pipe that nobody reads and that ${way}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const path = Deno.makeTempFileSync({ suffix: ".ts" });
      Deno.writeTextFileSync(path, SCRIPT);
      // dd(1) of coreutils leaves the flag on the pipe, which all who write to it share.
      const flag = way === "blocks" ? "" : "dd if=/dev/null oflag=nonblock status=none >&2; ";
      const child = new Deno.Command("/bin/sh", {
        args: ["-c", `${flag}exec "$0" run -A --no-config "$1"`, Deno.execPath(), path],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const out = await new Response(child.stdout).text();
      const { code } = await child.status;
      await child.stderr.cancel();
      Deno.removeSync(path);
      assertEquals([out, code], ["false\n", 0]);
    },
  });
}
