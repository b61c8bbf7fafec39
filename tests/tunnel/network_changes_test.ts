import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";

const SECOND = 1_000_000;
const NO_CARRIER = "ppp0 has no carrier";

/** State and reason of the client's first link. */
function link({ client, now }: Pair): [state: string, reason: string | undefined] {
  const { state, reason } = client.endpoint.status(now).peers[0]!.links[0]!;
  return [state, reason];
}

Deno.test("Endpoint.handleNetworkChange() leaves a link that has an obstacle at once", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  const { client, now } = pair;
  client.endpoint.handleNetworkChange(now, 0, NO_CARRIER);
  client.turn(now);
  assertEquals(client.eventsOf("link").slice(2), ["l0 down"]);
  assertEquals(link(pair), ["down", NO_CARRIER]);
  pair.finish();
});

Deno.test("Endpoint.handleNetworkChange() says more than what sends came to", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  const { client, now } = pair;
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable", 100);
  client.endpoint.handleNetworkChange(now, 0, NO_CARRIER);
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable", 100);
  assertEquals(link(pair), ["down", NO_CARRIER]);
  client.turn(now);
  assertEquals(client.eventsOf("link").length, 3, "it is told once");
  pair.finish();
});

Deno.test("Endpoint.handleNetworkChange() tries a link that has its way back at once", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  const { client } = pair;
  pair.lines[0]!.cut = true;
  client.endpoint.handleNetworkChange(pair.now, 0, NO_CARRIER);
  pair.run(SECOND + 130_000);
  pair.lines[0]!.cut = false;
  const at = pair.now;
  client.endpoint.handleNetworkChange(at, 0, undefined);
  client.turn(at);
  pair.runUntil(() => link(pair)[0] === "up");
  assert(pair.now - at <= 65_000, `three round trips of 20 ms, not ${pair.now - at} us`);
  pair.finish();
});

Deno.test("Endpoint.handleNetworkChange() asks for a session at once when there is none", () => {
  const pair = new Pair([{ delaysUs: [10_000] }]);
  const { client } = pair;
  for (const line of pair.lines) line.cut = true;
  pair.run(3.3 * SECOND);
  for (const line of pair.lines) line.cut = false;
  const at = pair.now;
  client.endpoint.handleNetworkChange(at, 0, undefined);
  client.turn(at);
  pair.runUntil(() => client.eventsOf("session").includes("up"));
  assert(pair.now - at <= 25_000, `one round trip of 20 ms, not ${pair.now - at} us`);
  pair.finish();
});

Deno.test("Endpoint.handleNetworkChange() says what is in the way of a link that was never up", () => {
  const pair = new Pair([{ delaysUs: [10_000] }]);
  pair.client.endpoint.handleNetworkChange(0, 0, NO_CARRIER);
  assertEquals(link(pair), ["connecting", NO_CARRIER]);
  pair.client.endpoint.handleNetworkChange(0, 0, undefined);
  assertEquals(link(pair), ["connecting", "waiting for the peer"]);
  pair.connect();
  assertEquals(link(pair)[0], "up");
  pair.finish();
});

Deno.test("Endpoint.handleNetworkChange() is nothing to a server", () => {
  const pair = new Pair([{ delaysUs: [10_000] }]).connect();
  pair.server.endpoint.handleNetworkChange(pair.now, 0, NO_CARRIER);
  pair.server.endpoint.handleNetworkChange(pair.now, 7, undefined);
  pair.client.endpoint.handleNetworkChange(pair.now, 7, undefined);
  pair.run(SECOND);
  assertEquals(pair.server.eventsOf("link"), ["l0 up"]);
  pair.finish();
});
