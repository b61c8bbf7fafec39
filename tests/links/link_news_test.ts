import { assert, assertEquals, assertFalse } from "@std/assert";
import { LinkNews } from "../../src/links/link_news.ts";

Deno.test("LinkNews tells nothing until something has changed, and then always tells it", () => {
  const news = new LinkNews();
  assertEquals([news.telling, news.pending], [false, false]);
  news.begin(4);
  assertEquals([news.telling, news.pending], [true, true]);
  news.handleProbeAck(5);
  assertEquals([news.telling, news.pending], [true, false]);
});

Deno.test("LinkNews is pending until a probe that told it is answered", () => {
  const news = new LinkNews();
  news.begin(4);
  for (const number of [1, 4]) news.handleProbeAck(number);
  assert(news.pending);
  news.handleProbeAck(6);
  assertFalse(news.pending);
  news.begin(6);
  news.handleProbeAck(6);
  assert(news.pending, "the answer to what was said before");
});

Deno.test("LinkNews that is pending when keys change waits for an answer under the new ones", () => {
  const news = new LinkNews();
  news.handleNewSession(1);
  assertFalse(news.pending);
  news.begin(3);
  news.handleNewSession(5);
  news.handleProbeAck(5);
  assert(news.pending, "its LINK may have come too late to count");
  news.handleProbeAck(6);
  news.handleNewSession(6);
  assertFalse(news.pending, "the peer remembers");
});

Deno.test("LinkNews.accept() refuses what was overtaken, within a session", () => {
  const news = new LinkNews();
  assertEquals([7, 6, 7, 9, 8].map((counter) => news.accept(counter)), [
    true,
    false,
    true,
    true,
    false,
  ]);
  news.handleNewSession(0);
  assert(news.accept(0));
});
