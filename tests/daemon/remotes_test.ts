import { assertEquals, assertThrows } from "@std/assert";
import type { Address } from "../../src/address.ts";
import type { RemoteHost, RemoteLink } from "../../src/daemon/remote_targets.ts";
import { Remotes } from "../../src/daemon/remotes.ts";
import { AbsentError, AggvpnError } from "../../src/errors.ts";
import type { ServerState } from "../../src/tunnel/servers.ts";
import { address } from "../addresses.ts";
import { logged } from "../logged.ts";

const HOST = "vpn.example.net";
const [A, B] = ["192.0.2.1", "198.51.100.1"];
const SIX = "2001:db8::1";

/** A resolver, links and a clock of their own. */
class Bench {
  nowS = 100;
  /** What names have; a name that is missing is not known. */
  readonly names: Record<string, readonly string[]> = {};
  /** When which name was looked up, in seconds since the tunnel was set up. */
  readonly asked: string[] = [];
  /** What the tunnel was told. */
  readonly told: string[] = [];
  /** Addresses that answer. */
  readonly answering = new Set<string>();
  readonly withoutSocket = new Set<number>();
  /** What goes on with servers. */
  readonly states: ServerState[] = ["asked"];
  /** What sockets were to be. */
  readonly families: string[] = [];
  readonly remotes: Remotes;
  #startS = 100;

  constructor(...links: Partial<RemoteLink & RemoteHost>[]) {
    this.remotes = new Remotes({
      links: links.map(({ host = HOST, port, ...link }, i): RemoteLink => ({
        name: `l${i}`,
        hosts: [{ host, port: port ?? 5080 + i }],
        ...link,
      })),
      lookup: (host, { rdomain = 0 }) => this.#lookup(host, rdomain),
      clock: () => this.nowS * 1e6,
    });
  }

  async start(): Promise<this> {
    await this.remotes.start(false);
    this.asked.length = 0;
    this.#startS = this.nowS;
    this.remotes.attach({
      isUp: (link, server) =>
        this.states[server] !== "idle" && this.answering.has(this.at(link, server)),
      serverState: (server) => this.states[server] ?? "idle",
      hasSocket: (link) => !this.withoutSocket.has(link),
      setFamily: (link, family) => void this.families.push(`${this.#second} l${link} ${family}`),
      setRemote: (link, server, remote) => {
        const of = server === 0 ? "" : ` s${server}`;
        this.told.push(`${this.#second} l${link}${of} ${remote}`);
      },
    });
    return this;
  }

  /** Where a link sends. */
  at(link = 0, server = 0): string {
    return `${this.remotes.current[link]![server]}`.replace(/:\d+$/, "");
  }

  async run(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.nowS++;
      this.remotes.handleTimeout();
      await Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  get #second(): number {
    return this.nowS - this.#startS;
  }

  // deno-lint-ignore require-await -- as resolvers do
  async #lookup(host: string, rdomain: number): Promise<readonly Address[]> {
    this.asked.push(`${this.#second} ${host}${rdomain ? ` in ${rdomain}` : ""}`);
    const found = this.names[host];
    if (!found) throw new AbsentError(`Cannot resolve "${host}"`);
    return found.map(address);
  }
}

Deno.test("Remotes takes addresses as they are, and never looks them up", async () => {
  const bench = await new Bench({ host: address(A) }).start();
  await bench.run(300);
  assertEquals([bench.at(), bench.asked, bench.told], [A, [], []]);
  assertEquals(bench.remotes.mayChange, false);
  assertThrows(() => new Bench({ host: address(A), family: 6 }), AggvpnError, "no IPv6 address");
});

Deno.test("Remotes waits for a name, and asks ever less often", async () => {
  const lines = await logged(async () => {
    const bench = await new Bench({}, { host: address(B) }).start();
    assertEquals(bench.remotes.reasonOf(0), `Cannot resolve "${HOST}"`);
    assertEquals(bench.remotes.reasonOf(1), undefined);
    await bench.run(100);
    assertEquals(bench.asked.map((line) => line.split(" ")[0]), [
      ..."1 3 7 15 31 61 91".split(" "),
    ]);
    bench.names[HOST] = [A];
    await bench.run(30);
    assertEquals(bench.told, [`121 l0 ${A}:5080`]);
    assertEquals(bench.remotes.reasonOf(0), undefined);
  });
  assertEquals(lines, [
    `warning Link l0 waits for its server: Cannot resolve "${HOST}"`,
    `info Link l0 goes to ${A}:5080`,
  ]);
});

Deno.test("Remotes asks once for links with the same name, and once in each rdomain", async () => {
  const bench = new Bench({}, {}, { rdomain: 1 });
  await bench.remotes.start(false);
  assertEquals(bench.asked, [`0 ${HOST}`, `0 ${HOST} in 1`]);
});

Deno.test("Remotes finds a server that has moved, and leaves links alone that work", async () => {
  const bench = new Bench({}, {});
  bench.names[HOST] = [A];
  bench.answering.add(A);
  await bench.start();
  await bench.run(100);
  assertEquals(bench.asked, []);
  bench.names[HOST] = [B];
  bench.withoutSocket.add(1);
  await bench.run(60);
  assertEquals(bench.told, [], "it works, though its name leads elsewhere");
  const lines = await logged(async () => {
    bench.answering.clear();
    bench.answering.add(B);
    bench.withoutSocket.clear();
    await bench.run(11);
  });
  assertEquals(bench.asked, [`170 ${HOST}`]);
  assertEquals(bench.told, [`170 l0 ${B}:5080`, `170 l1 ${B}:5081`]);
  assertEquals(lines, [
    `info Link l0 goes to ${B}:5080: ${HOST} has moved`,
    `info Link l1 goes to ${B}:5081: ${HOST} has moved`,
    `info Link l0 works with ${B}:5080`,
    `info Link l1 works with ${B}:5081`,
  ]);
});

Deno.test("Remotes asks again every 30 s at most, less often when it helps nothing, not without a socket", async () => {
  const bench = new Bench({});
  bench.names[HOST] = [A];
  await bench.start();
  await bench.run(400);
  const times = (): number[] => bench.asked.splice(0).map((line) => Number(line.split(" ")[0]));
  assertEquals(times(), [30, 90, 210, 330]);
  bench.answering.add(A);
  await bench.run(1);
  bench.answering.clear();
  await bench.run(20);
  assertEquals(times(), [411], "what has worked meanwhile begins anew");
  bench.withoutSocket.add(0);
  await bench.run(300);
  assertEquals(times(), []);
  assertEquals(bench.told, []);
});

Deno.test("Remotes tries all addresses in turn, quickly at first", async () => {
  const bench = new Bench({});
  bench.names[HOST] = [SIX, A, B];
  await bench.start();
  await bench.run(7);
  assertEquals(bench.told, [`3 l0 ${A}:5080`, `6 l0 ${B}:5080`]);
  await bench.run(10);
  assertEquals(bench.told.slice(2), [`16 l0 [${SIX}]:5080`]);
});

Deno.test("Remotes tries addresses of the family that has worked first", async () => {
  const bench = new Bench({});
  bench.names[HOST] = [SIX, A, B];
  bench.answering.add(B);
  await bench.start();
  await bench.run(10);
  assertEquals(bench.at(), B);
  bench.answering.clear();
  bench.told.length = 0;
  await bench.run(20);
  assertEquals(bench.told.map((line) => line.split(" ")[2]), [
    `${A}:5080`,
    `[${SIX}]:5080`,
    `${B}:5080`,
  ]);
  bench.names[HOST] = [SIX, "203.0.113.9"];
  await bench.run(30);
  const second = bench.asked.at(-1)!.split(" ")[0];
  assertEquals(bench.told.filter((line) => line.startsWith(`${second} `)), [
    `${second} l0 203.0.113.9:5080`,
  ]);
});

Deno.test("Remotes keeps to the family that a link is bound to", async () => {
  const bench = new Bench({ family: 4 }, {});
  bench.names[HOST] = [SIX];
  const lines = await logged(() => bench.start().then(() => {}));
  assertEquals(lines, [
    `warning Link l0 waits for its server: ${HOST} has no IPv4 address`,
  ]);
  assertEquals(bench.at(1), `[${SIX}]`);
  bench.names[HOST] = [SIX, A];
  bench.remotes.fixFamily(1, 6);
  await bench.run(60);
  assertEquals(bench.told, [`1 l0 ${A}:5080`]);
});

Deno.test("Remotes looks every name up after 10 min, and keeps what works", async () => {
  const bench = new Bench({});
  bench.names[HOST] = [A];
  bench.answering.add(A);
  await bench.start();
  bench.names[HOST] = [B];
  await bench.run(1300);
  assertEquals(bench.asked, [`600 ${HOST}`, `1200 ${HOST}`]);
  assertEquals(bench.told, []);
});

Deno.test("Remotes tries addresses of a server only while it is asked, and stays with one that answers", async () => {
  const hosts = [{ host: address(A), port: 1 }, { host: HOST, port: 2 }];
  const bench = new Bench({ hosts });
  bench.names[HOST] = [B, "203.0.113.9"];
  bench.answering.add(A);
  await bench.start();
  await bench.run(60);
  assertEquals(bench.told, []);
  bench.states[1] = "asked";
  await bench.run(4);
  assertEquals(bench.told, ["63 l0 s1 203.0.113.9:2"], "after 3 s");
  bench.states[1] = "answers";
  await bench.run(20);
  bench.states[1] = "idle";
  await bench.run(20);
  assertEquals(bench.told.length, 1);
  bench.states[1] = "asked";
  await bench.run(2);
  bench.states[1] = "idle";
  await bench.run(1);
  assertEquals(bench.told.slice(1), [`107 l0 s1 ${B}:2`], "the other one when it is asked next");
});

Deno.test("Remotes reaches other servers by the family of a link that works, else by both in turn", async () => {
  const hosts = [{ host: HOST, port: 1 }, { host: address(SIX), port: 2 }];
  const bench = new Bench({ hosts });
  bench.names[HOST] = [A];
  bench.answering.add(A);
  await bench.start();
  assertEquals([bench.remotes.familyOf(0), bench.at(0, 1)], [4, "undefined"]);
  bench.states[1] = "asked";
  await bench.run(20);
  assertEquals([bench.families, bench.told], [[], []]);
  bench.answering.clear();
  await bench.run(5);
  assertEquals(bench.families, ["22 l0 6", "24 l0 4"]);
  assertEquals(bench.told.slice(0, 2), ["22 l0 undefined", `22 l0 s1 [${SIX}]:2`]);
  bench.answering.add(`[${SIX}]`);
  await bench.run(10);
  assertEquals(bench.families.slice(2), ["26 l0 6"]);
  assertEquals([bench.at(0, 0), bench.at(0, 1)], ["undefined", `[${SIX}]`]);
});

Deno.test("Remotes.start() goes on while no server is known, if it has to, until it is stopped", async () => {
  const bench = new Bench({});
  const stopping = new AbortController();
  const waiting = bench.remotes.start(true, stopping.signal);
  setTimeout(() => {
    bench.nowS += 1;
    bench.names[HOST] = [A];
  }, 10);
  await waiting;
  assertEquals(bench.at(), A);

  const other = new Bench({});
  const stopped = other.remotes.start(true, stopping.signal);
  stopping.abort();
  await stopped;
  assertEquals(other.at(), "undefined");
});

Deno.test("Remotes.setLink() looks up the name of a new link, and forgets that of one that is gone", async () => {
  const bench = await new Bench({ host: address(A) }).start();
  assertEquals(bench.remotes.mayChange, false);
  bench.names[HOST] = [B];
  bench.remotes.setLink(1, { name: "new", hosts: [{ host: HOST, port: 5090 }] });
  assertEquals([bench.remotes.mayChange, bench.at(1)], [true, "undefined"]);
  await bench.run(2);
  assertEquals([bench.told, bench.at(0), bench.at(1)], [[`1 l1 ${B}:5090`], A, B]);
  bench.remotes.setLink(1, undefined);
  assertEquals([bench.remotes.mayChange, bench.remotes.remoteOf(1)], [false, undefined]);
  const before = bench.asked.length;
  await bench.run(1500);
  assertEquals(bench.asked.length, before);
  assertThrows(
    () =>
      bench.remotes.setLink(0, { name: "six", hosts: [{ host: address(A), port: 1 }], family: 6 }),
    AggvpnError,
  );
  assertEquals(bench.at(0), A, "what cannot be used changes nothing");
});
