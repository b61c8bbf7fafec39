import { assertEquals } from "@std/assert";
import { NetworkListener, PAUSE_US, type WayChange } from "../../src/io/network_listener.ts";
import { MemoryWatch } from "../../src/platform/memory/watch.ts";
import type { LinkWay, NetworkKind } from "../../src/platform/platform.ts";

const FREE: LinkWay = { obstacle: undefined, interface: 3, mtu: 1500 };

/** A listener for two links, and their ways, which a test changes. */
class World {
  readonly ways: LinkWay[];
  looks = 0;
  readonly watch = new MemoryWatch(9, (link) => {
    this.looks++;
    return this.ways[link];
  });
  readonly listener: NetworkListener;

  constructor(...ways: readonly LinkWay[]) {
    this.ways = [ways[0] ?? FREE, ways[1] ?? FREE];
    this.listener = new NetworkListener(this.watch, 2);
  }

  /** Gives link 1 another way, and lets the listener have a turn. */
  change(
    now: number,
    way: Partial<LinkWay>,
    kind: NetworkKind = "interface",
  ): readonly WayChange[] {
    this.ways[1] = { ...FREE, ...way };
    this.watch.tell(kind, 3);
    return this.listener.handleTurn(now, true);
  }
}

Deno.test("NetworkListener tells at once when a link has an obstacle, and when it is gone", () => {
  const world = new World();
  const lost = world.change(0, { obstacle: "eth0 has no carrier" });
  assertEquals(lost, [{ link: 1, obstacle: "eth0 has no carrier", isElsewhere: false }]);
  assertEquals(world.change(PAUSE_US, { obstacle: "eth0 has no carrier" }), [], "nothing new");
  const back = world.change(2 * PAUSE_US, {});
  assertEquals(back, [{ link: 1, obstacle: undefined, isElsewhere: false }]);
});

Deno.test("NetworkListener lets links change before it looks at them, whenever it does", () => {
  const order: string[] = [];
  const watch = new MemoryWatch(9, () => {
    order.push("look");
    return FREE;
  });
  const listener = new NetworkListener(watch, 1, () => order.push("change"));
  assertEquals(order.splice(0), ["look"]);
  listener.handleTurn(0, false);
  assertEquals(order, []);
  watch.tell("route", 3);
  listener.handleTurn(0, true);
  listener.handleTurn(PAUSE_US, false);
  assertEquals(order, ["change", "look"]);
});

Deno.test("NetworkListener tells of another MTU, and of another interface", () => {
  const world = new World();
  const [mtu] = world.change(0, { mtu: 1492 });
  assertEquals(mtu, { link: 1, obstacle: undefined, isElsewhere: false });
  const [other] = world.change(PAUSE_US, { interface: 4 });
  assertEquals(other, { link: 1, obstacle: undefined, isElsewhere: true });
  world.change(2 * PAUSE_US, { obstacle: "eth0 does not exist", interface: 0 });
  const [again] = world.change(3 * PAUSE_US, { interface: 5 });
  assertEquals(again?.isElsewhere, true, "deleted and made again");
});

Deno.test("NetworkListener gives addresses and routes a moment: they may be replaced", () => {
  const world = new World();
  const reason = "no route to 203.0.113.1";
  assertEquals(world.change(0, { obstacle: reason }, "route"), []);
  assertEquals(world.listener.timeoutAtUs(true), PAUSE_US);
  assertEquals(world.listener.isListening(PAUSE_US - 1), false);
  assertEquals(world.listener.handleTurn(PAUSE_US, false).map(({ obstacle }) => obstacle), [
    reason,
  ]);
  assertEquals(world.listener.timeoutAtUs(true), Infinity);

  assertEquals(world.change(2 * PAUSE_US, {}, "address"), []);
  assertEquals(world.change(3 * PAUSE_US, { obstacle: reason }, "address"), [], "as before");
});

Deno.test("NetworkListener wants to be called after a pause in which nobody waits for it", () => {
  const world = new World();
  assertEquals(world.listener.isListening(0), true);
  world.change(5, {});
  assertEquals(world.listener.timeoutAtUs(false), 5 + PAUSE_US);
  assertEquals(world.listener.timeoutAtUs(true), Infinity);
  assertEquals(world.listener.isListening(5 + PAUSE_US), true);
});

Deno.test("NetworkListener looks again after messages were lost, and not for what is none of its business", () => {
  const world = new World();
  assertEquals(world.looks, 2);
  assertEquals(world.listener.handleTurn(0, true), []);
  assertEquals(world.looks, 2);
  assertEquals(world.change(PAUSE_US, { obstacle: "eth0 is down" }, "lost").length, 1);
});

Deno.test("NetworkListener looks no more than once in a pause, whatever it hears", () => {
  const world = new World();
  world.looks = 0;
  for (let now = 0; now < 1_000_000; now += 100) {
    world.watch.tell("route", 3);
    world.listener.handleTurn(now, world.listener.isListening(now));
  }
  assertEquals(world.looks / 2 <= 1_000_000 / PAUSE_US, true, `${world.looks / 2} looks`);
});

Deno.test("NetworkListener tells what is in a link's way from the beginning", () => {
  const world = new World(FREE, { ...FREE, obstacle: "eth1 has no carrier" });
  const first = world.listener.handleTurn(0, false);
  assertEquals(first, [{ link: 1, obstacle: "eth1 has no carrier", isElsewhere: false }]);
  assertEquals(world.listener.handleTurn(1, false), []);
  assertEquals(world.change(PAUSE_US, {}), [{ link: 1, obstacle: undefined, isElsewhere: false }]);
});
