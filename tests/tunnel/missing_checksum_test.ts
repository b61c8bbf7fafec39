import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";
import { sentData } from "./sent_data.ts";

/** Every third packet of a test lacks its checksum. */
function lacks(number: number): boolean {
  return number % 3 === 0;
}

function sendAll(pair: Pair, count: number): void {
  for (const i of range(0, count)) {
    const packet = udp4(i, { bytes: 500 });
    if (lacks(i)) pair.client.sendWithoutChecksum(pair.now, packet);
    else pair.client.send(pair.now, packet);
    pair.run(2_000);
  }
  pair.run(500_000);
}

Deno.test("a packet without its checksum is delivered as such, also when it is sent again", () => {
  const pair = new Pair([{ delaysUs: [10_000, 12_000] }], {}).connect();
  const [first] = pair.lines;
  let data = 0;
  first!.lose = ({ bytes }): boolean => bytes.length > 500 && data++ % 4 === 0;
  sendAll(pair, 120);
  assert(sentData(pair).filter(({ resent }) => resent).length >= 10);
  const numbers = numbersOf(pair.server.delivered);
  assertEquals(numbers.toSorted((a, b) => a - b), range(0, 120));
  assertEquals(pair.server.needsChecksum, numbers.map(lacks));
  pair.finish();
});

Deno.test("a packet without its checksum is delivered as such when only a copy arrives", () => {
  const spec = { delaysUs: [10_000, 12_000] };
  const pair = new Pair([spec], { policy: { duplicate: "all" } }).connect();
  const [first] = pair.lines;
  first!.lose = ({ bytes }): boolean => bytes.length > 500;
  sendAll(pair, 30);
  const numbers = numbersOf(pair.server.delivered);
  assert(numbers.length >= 29, `${numbers.length}`);
  assertEquals(pair.server.needsChecksum, numbers.map(lacks));
  pair.finish();
});
