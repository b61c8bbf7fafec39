import { assertEquals } from "@std/assert";
import { MtuNews } from "../../src/links/mtu_news.ts";

const MS = 1000;

Deno.test("MtuNews is told once when something is known, and again until it was answered", () => {
  const news = new MtuNews();
  assertEquals([news.poll(0, 0, 0), news.pending], [false, false]);
  assertEquals([news.poll(1 * MS, 1492, 3), news.pending], [true, true]);
  assertEquals(news.poll(400 * MS, 1492, 4), false);
  assertEquals(news.poll(501 * MS, 1492, 4), true);
  news.handleProbeAck(3);
  assertEquals(news.pending, true, "that probe left before it was known");
  news.handleProbeAck(4);
  assertEquals([news.poll(5000 * MS, 1492, 9), news.pending], [false, false]);
});

Deno.test("MtuNews is told when it changes, and in a new session when it was not answered", () => {
  const news = new MtuNews();
  news.poll(0, 1492, 1);
  news.handleProbeAck(2);
  assertEquals(news.poll(1, 1400, 2), true);
  news.handleNewSession(7);
  news.handleProbeAck(5);
  assertEquals(news.pending, true);
  news.handleProbeAck(8);
  assertEquals(news.pending, false);
});
