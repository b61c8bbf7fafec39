import { assert, assertEquals } from "@std/assert";
import { numbersOf, range, udp4 } from "../tunnel/packets.ts";
import { constantRate } from "./elements/rate_schedule.ts";
import { type ClientSpec, Pair } from "./pair.ts";

const SECOND = 1_000_000;

/** Sends 1000 bytes each millisecond; returns the pair once everything not lost has arrived. */
function run(spec: ClientSpec, count = 1_000): Pair {
  const pair = new Pair([spec]).connect();
  for (const i of range(0, count)) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(1_000);
  }
  pair.run(SECOND);
  return pair;
}

Deno.test("Pair delays what is not lost, and says what it costs", () => {
  const pair = run({ delaysUs: [20_000] });
  assertEquals(numbersOf(pair.server.delivered), range(0, 1_000));
  const [link] = pair.client.endpoint.status(pair.now).peers[0]!.links;
  assert(link!.srttUs >= 40_000 && link!.srttUs < 70_000, `${link!.srttUs}`);
  pair.finish();
});

Deno.test("Pair has the simulator's lines: of a rate, with a queue, with loss", () => {
  const slow = run({ line: () => ({ rate: constantRate(4e6), queue: { us: 50_000 } }) });
  const { upQueue, up: sent } = slow.lines[0]!.link;
  assert(upQueue.maxBytes > 5_000 && upQueue.maxBytes < 30_000, `${upQueue.maxBytes}`);
  assert(sent.leftBytes < 4e6 / 8 * slow.now / SECOND, `${sent.leftBytes}`);
  slow.finish();
  const lossy = run({ line: () => ({ loss: 0.05 }) });
  const { up } = lossy.lines[0]!.link;
  assert(up.drops > 0.02 * up.entered && up.drops < 0.1 * up.entered, `${up.drops}`);
  assertEquals(lossy.server.delivered.length, 1_000);
  lossy.finish();
});

/** Sends full packets through a line of which `bytes` pass; returns how many arrived. */
function passing(spec: ClientSpec, bytes: number): number {
  const pair = new Pair([spec]).connect();
  const [line] = pair.lines;
  line!.mtuBytes = bytes;
  const before = pair.sent.length;
  pair.client.send(pair.now, udp4(0, { bytes: 1000 }));
  pair.run(20_000);
  const large = pair.sent.slice(before).filter(({ bytes }) => bytes.length > 1000).length;
  assert(large > 0);
  const arrived = numbersOf(pair.server.delivered).length;
  assertEquals(arrived === 0, line!.tooBig > 0);
  line!.mtuBytes = Infinity;
  pair.run(SECOND);
  pair.finish();
  return arrived;
}

Deno.test("Pair drops what is larger than its line carries, of IPv4 and of IPv6", () => {
  // A packet of 1000 bytes makes a datagram of 1038.
  assertEquals([passing({}, 1000 + 66), passing({}, 1000 + 65)], [1, 0]);
  const six = { ipv6: true };
  assertEquals([passing(six, 1000 + 86), passing(six, 1000 + 85)], [1, 0]);
});

Deno.test("Pair changes what its lines carry by a schedule", () => {
  const mtuSchedule = [{ atUs: 2 * SECOND, mtuBytes: 1000 }, { atUs: 2.4e6, mtuBytes: 1400 }];
  const pair = run({ line: () => ({ mtuSchedule }) });
  const [line] = pair.lines;
  assert(line!.link.upMtu.drops > 10, `${line!.link.upMtu.drops}`);
  assertEquals(line!.mtuBytes, 1400);
  pair.finish();
});

Deno.test("Pair gives the same run each time", () => {
  const sent = (): Uint8Array[] =>
    run({ delaysUs: [5_000, 9_000], line: () => ({ loss: 0.01, jitterUs: 2_000 }) }, 100)
      .sent.map(({ bytes }) => bytes);
  assertEquals(sent(), sent());
});

Deno.test("a line that is cut swallows what is in flight; what is lost may be changed instead", () => {
  const pair = new Pair([{}]).connect();
  const [line] = pair.lines;
  pair.client.send(pair.now, udp4(0));
  line!.cut = true;
  pair.settle();
  assertEquals(numbersOf(pair.server.delivered), []);
  line!.cut = false;
  const before = pair.server.drops("auth");
  line!.lose = ({ toServer, bytes }): boolean => {
    if (toServer) bytes[bytes.length - 1]! ^= 1;
    return false;
  };
  pair.client.send(pair.now, udp4(1));
  pair.settle();
  assert(pair.server.drops("auth") > before);
});
