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
