/**
 * Records that are kept with the tests: `golden/NAME.txt`, one call per line. To accept what is
 * recorded: `UPDATE_GOLDEN=1 deno test -A tests/platform/openbsd`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { MACHINES } from "./c_layout.ts";
import { FakeLibc, type FakeOptions } from "./fake_libc.ts";
import type { FakeHost, FakeWorld } from "./fake_world.ts";

/** Collects what a scenario does, under headings. */
export class Record {
  readonly lines: string[] = [];

  /** Adds a heading, and what `libc` was called with since the last one. */
  step(heading: string, ...libcs: readonly FakeLibc[]): void {
    this.lines.push(`# ${heading}`, ...libcs.flatMap((libc) => libc.takeCalls()), "");
  }

  /** Adds a line, such as a command. */
  note(line: string): void {
    this.lines.push(line);
  }

  /** Compares with the golden record `name`. */
  assertGolden(name: string): void {
    const file = new URL(`golden/${name}.txt`, import.meta.url);
    const text = this.lines.join("\n").trimEnd() + "\n";
    if (Deno.env.get("UPDATE_GOLDEN")) Deno.writeTextFileSync(file, text);
    assertEquals(text, Deno.readTextFileSync(file), name);
  }
}

/** Makes libraries for one machine. */
export type MakeLibc = (host: FakeHost, options?: FakeOptions) => FakeLibc;

/** A test that records the same calls on amd64 and arm64. */
export function goldenTest(
  name: string,
  title: string,
  run: (record: Record, makeLibc: MakeLibc) => void | Promise<void>,
): void {
  for (const machine of MACHINES) {
    Deno.test(`${title} (${machine})`, async () => {
      const record = new Record();
      await run(record, (host, options) => new FakeLibc(host, { ...options, machine }));
      record.assertGolden(name);
    });
  }
}

/** A gateway with an uplink in each of two routing domains. */
export function gateway(world: FakeWorld): FakeHost {
  return world.host().address(0, "192.168.7.1", "2001:db8:7::1")
    .address(1, "198.51.100.10", "2001:db8:1::10")
    .address(2, "203.0.113.20", "2001:db8:2::20");
}

/** The server: two public addresses of each family, no routing domains. */
export function publicHost(world: FakeWorld): FakeHost {
  return world.host().address(0, "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2");
}
