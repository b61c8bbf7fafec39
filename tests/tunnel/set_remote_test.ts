import { assert, assertEquals } from "@std/assert";
import { remoteOf } from "../../src/remote.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const ELSEWHERE = remoteOf(Uint8Array.of(203, 0, 113, 7), 5080);

function link(pair: Pair, id: number): { state: string; remote: string } {
  return pair.client.endpoint.status(pair.now).peers[0]!.links[id]!;
}

function pass(pair: Pair): void {
  for (const i of range(0, 20)) {
    pair.client.send(pair.now, udp4(i));
    pair.run(5_000);
  }
  pair.run(100_000);
  assertEquals(numbersOf(pair.server.delivered), range(0, 20));
}

Deno.test("Endpoint uses a link whose server it is told of later", () => {
  const pair = new Pair([{
    delaysUs: [10_000, 10_000],
    link: (id) => id === 1 ? { remotes: [undefined] } : {},
  }]).connect();
  pair.run(20_000_000);
  const { endpoint } = pair.client;
  assertEquals([link(pair, 1).state, link(pair, 1).remote], ["connecting", ""]);
  assertEquals([0, 1].map((id) => endpoint.isLinkUp(id)), [true, false]);
  endpoint.setRemote(pair.now, 1, pair.lines[1]!.server);
  pair.client.turn(pair.now);
  pair.runUntil(() => endpoint.isLinkUp(1), 1_000_000);
  pass(pair);
  pair.finish();
});

Deno.test("Endpoint sends nothing while it knows no server, and begins at once when it does", () => {
  const pair = new Pair([{ link: () => ({ remotes: [undefined] }) }]);
  pair.client.turn(pair.now);
  pair.run(20_000_000);
  assertEquals([pair.sent.length, pair.client.eventsOf("handshake-failed")], [0, []]);
  const { endpoint } = pair.client;
  assertEquals(endpoint.isLinkUp(0), false);
  endpoint.setRemote(pair.now, 0, pair.lines[0]!.server);
  pair.client.turn(pair.now);
  const us = pair.runUntil(() => endpoint.isLinkUp(0));
  assert(us < 500_000, `${us} us`);
  pass(pair);
  pair.finish();
});

Deno.test("Endpoint goes on with its session where its server has moved to", () => {
  const pair = new Pair([{}]).connect();
  const { endpoint } = pair.client;
  const line = pair.lines[0]!;
  line.server = ELSEWHERE;
  // The client may be behind NAT: what comes from an address it has not sent to is lost.
  let isReached = false;
  line.lose = ({ toServer }): boolean => {
    isReached ||= toServer;
    return !isReached;
  };
  pair.runUntil(() => link(pair, 0).state === "down");
  pair.run(10_000_000);
  endpoint.setRemote(pair.now, 0, ELSEWHERE);
  pair.client.turn(pair.now);
  pair.runUntil(() => endpoint.isLinkUp(0), 2_000_000);
  assertEquals(link(pair, 0).remote, `${ELSEWHERE}`);
  assertEquals(pair.client.eventsOf("session").filter((state) => state === "down"), []);
  pass(pair);
  pair.finish();
});

Deno.test("Endpoint makes a new session where another server has taken over", () => {
  const pair = new Pair([{}]).connect();
  const { endpoint } = pair.client;
  pair.lines[0]!.server = ELSEWHERE;
  pair.server.restart();
  pair.run(10_000_000);
  assertEquals(endpoint.isLinkUp(0), false);
  endpoint.setRemote(pair.now, 0, ELSEWHERE);
  pair.client.turn(pair.now);
  pair.runUntil(() => endpoint.isLinkUp(0), 1_000_000);
  pass(pair);
  pair.finish();
});
