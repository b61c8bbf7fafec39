import { assertEquals } from "@std/assert";
import { similarNames } from "../src/suggest.ts";

Deno.test("similarNames() finds slips, nearest first", () => {
  const known = ["eth0", "eth1", "wlan0", "enp3s0"];
  assertEquals(similarNames("eth00", known), ["eth0", "eth1"]);
  assertEquals(similarNames("wlan", known), ["wlan0"]);
  assertEquals(similarNames("enp3s1", known), ["enp3s0"]);
});

Deno.test("similarNames() finds nothing where nothing is near", () => {
  assertEquals(similarNames("ppp0", ["wlan0", "x"]), []);
  assertEquals(similarNames("a", ["b", ""]), []);
});
