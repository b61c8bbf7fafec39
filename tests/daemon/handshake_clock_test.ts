import { assert, assertEquals } from "@std/assert";
import { HandshakeClock } from "../../src/daemon/handshake_clock.ts";
import type { StateFile, StateRead } from "../../src/daemon/state_file.ts";
import { logged } from "../logged.ts";

const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;
const EPOCH_MS = Date.UTC(2026, 10, 23);

class FakeFile implements StateFile {
  readonly path = "/var/lib/aggvpn/home.clock";
  writes = 0;
  broken = false;
  constructor(public content: StateRead = {}) {}

  read(): StateRead {
    return this.content;
  }

  write(text: string): Promise<void> {
    this.writes++;
    if (this.broken) return Promise.reject(new Error("Read-only file system"));
    this.content = { text };
    return Promise.resolve();
  }
}

/** A host with a wall clock that may be wrong. */
class Host {
  now = 0;
  errorUs = 0;
  clock: HandshakeClock;

  constructor(readonly file = new FakeFile()) {
    this.clock = this.start();
  }

  start(): HandshakeClock {
    return this.clock = new HandshakeClock({
      clock: () => this.now,
      wallMs: () => EPOCH_MS + Math.floor((this.now + this.errorUs) / 1000),
      file: this.file,
    });
  }

  get wallUs(): number {
    return EPOCH_MS * 1000 + this.now + this.errorUs;
  }
}

Deno.test("HandshakeClock.next() is the wall clock, which is read each time", () => {
  const host = new Host();
  assertEquals(host.clock.next(), host.wallUs);
  host.errorUs = HOUR;
  assertEquals(host.clock.next(), host.wallUs);
});

Deno.test("HandshakeClock.next() is later than before whatever the wall clock does", () => {
  const host = new Host();
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    host.now += i % 3 * SECOND;
    host.errorUs = (i * 7919 % 13 - 6) * HOUR;
    const next = host.clock.next();
    assert(next > last && Number.isSafeInteger(next));
    last = next;
  }
});

Deno.test("HandshakeClock goes on after the last stamp of the process before", async () => {
  const lines = await logged(async () => {
    for (const crash of [true, false]) {
      const host = new Host();
      let last = 0;
      for (let i = 0; i < 30; i++, host.now += 700_000) last = host.clock.next();
      if (crash) await new Promise((resolve) => setTimeout(resolve)); // what is begun is written
      else await host.clock.close();
      host.errorUs = -HOUR;
      host.start();
      for (let i = 0; i < 30; i++) {
        const next = host.clock.next();
        assert(next > last, `${next} ${last}`);
        last = next;
      }
      await host.clock.close();
    }
  });
  assertEquals(lines, [
    "warning The clock of this host says 2026-11-22T23:00:21.000Z, its last handshake was at " +
    "2026-11-23T00:00:10.500Z: is it right?",
    "warning The clock of this host says 2026-11-22T23:00:21.000Z, its last handshake was at " +
    "2026-11-23T00:00:20.300Z: is it right?",
  ]);
});

Deno.test("HandshakeClock writes once in ten seconds, and at the end only what is new", async () => {
  const host = new Host();
  await host.clock.close();
  assertEquals(host.file.writes, 0, "no handshake");
  host.start();
  for (; host.now < 60 * SECOND; host.now += SECOND) host.clock.next();
  await host.clock.close();
  assertEquals(host.file.writes, 7);
  assertEquals(host.file.content.text, `${host.wallUs - SECOND}\n`);
  await host.clock.close();
  assertEquals(host.file.writes, 7);
});

Deno.test("HandshakeClock says what is wrong with its file, and goes on", async () => {
  const damaged = ["", "x", "12", "-5\n", "1e9\n", "99999999999999999\n", "9999999999999999\n"];
  const lines = await logged(async () => {
    for (const text of damaged) {
      const { clock, wallUs } = new Host(new FakeFile({ text }));
      assertEquals(clock.next(), wallUs);
      await clock.close();
    }
    const host = new Host(new FakeFile({ problem: "belongs to another user" }));
    host.file.broken = true;
    for (let i = 0; i < 3; i++, host.now += 20 * SECOND) {
      assertEquals(host.clock.next(), host.wallUs);
    }
    await host.clock.close();
  });
  const unknown = "warning The time of the last handshake is not known: /var/lib/aggvpn/home.clock";
  assertEquals(lines, [
    ...new Array(7).fill(`${unknown} is damaged`),
    `${unknown} belongs to another user`,
    "warning Cannot write /var/lib/aggvpn/home.clock: if the clock goes back the server may not " +
    "answer after a restart: Read-only file system",
  ]);
});
