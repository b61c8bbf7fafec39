/** What `Endpoint.status()` says of links, as an operator wants to know it. */

import { assert, assertEquals } from "@std/assert";
import type { LinkStatus } from "../../src/tunnel/options.ts";
import type { Host } from "../pair/host.ts";
import { Pair } from "../pair/pair.ts";
import { udp4 } from "./packets.ts";

const SECOND = 1_000_000;

function linksOf(pair: Pair, host: Host): readonly LinkStatus[] {
  return host.endpoint.status(pair.now).peers[0]!.links;
}

function send(pair: Pair, count: number): void {
  for (let i = 0; i < count; i++) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(2_000);
  }
}

Deno.test("Endpoint.status() says that a port may not be listened on, when others answer", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]);
  pair.lines[1]!.cut = true;
  pair.client.turn(pair.now);
  pair.run(2 * SECOND);
  assertEquals(linksOf(pair, pair.client)[1]!.reason, "waiting for the peer");
  pair.run(2 * SECOND);
  const [up, silent] = linksOf(pair, pair.client);
  assertEquals([up!.state, silent!.state], ["up", "connecting"]);
  assert(silent!.reason.startsWith(`no answer from ${silent!.remote}, though`), silent!.reason);
  assertEquals(silent!.heardAgeUs, undefined);
  assert(up!.heardAgeUs! < SECOND, `${up!.heardAgeUs}`);
  assert(up!.stateAgeUs > 3 * SECOND && silent!.stateAgeUs > 3 * SECOND);
  pair.finish();
});

Deno.test("Endpoint.status() says how much later a link is than the nearest one", () => {
  const pair = new Pair([{ delaysUs: [10_000, 35_000] }]).connect();
  send(pair, 500);
  const skews = linksOf(pair, pair.client).map(({ skewUs }) => skewUs);
  assertEquals(skews[0], 0);
  assert(Math.abs(skews[1]! - 25_000) < 5_000, `${skews}`);
  pair.finish();
});

Deno.test("Endpoint.status() tells what was lost from what was lost for good", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  let count = 0;
  for (const line of pair.lines) {
    line.lose = ({ toServer, bytes }): boolean =>
      toServer && bytes.length > 900 && ++count % 10 === 0;
  }
  send(pair, 1500);
  const lossy = linksOf(pair, pair.client);
  assert(lossy.some(({ sendLoss }) => sendLoss > 0.05), JSON.stringify(lossy));
  assertEquals(lossy.map(({ residualLoss }) => residualLoss), [0, 0]);
  for (const line of pair.lines) line.lose = ({ bytes }): boolean => bytes.length > 900;
  for (let i = 0; i < 100; i++) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }), udp4(i)); // the small one is acknowledged
    pair.run(20_000);
  }
  const { lostPackets } = pair.client.endpoint.status(pair.now).peers[0]!;
  assert(lostPackets > 20, `${lostPackets}`);
  assertEquals(lostPackets, pair.client.drops("lost"));
  assert(linksOf(pair, pair.client).some(({ residualLoss }) => residualLoss > 0.1));
  pair.finish();
});

Deno.test("Endpoint.status() counts a session through new keys, and says why there is none", () => {
  const pair = new Pair([{}]).connect();
  pair.run(150 * SECOND);
  const during = pair.client.endpoint.status(pair.now).peers[0]!;
  assert(during.sessionAgeUs < 60 * SECOND && during.connectedAgeUs > 149 * SECOND);
  assertEquals([during.reason, during.endedAgeUs], [undefined, undefined]);
  pair.server.close(pair.now);
  pair.run(SECOND / 2);
  const after = pair.client.endpoint.status(pair.now).peers[0]!;
  assertEquals([after.reason, after.connectedAgeUs], ["the peer has closed it", 0]);
  assert(after.endedAgeUs! > SECOND / 3 && after.endedAgeUs! < SECOND);
  pair.finish();
});
