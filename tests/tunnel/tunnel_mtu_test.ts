import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Path } from "../../src/links/path.ts";
import { remoteOf } from "../../src/remote.ts";
import { bestPacketBytes, TunnelMtu } from "../../src/tunnel/tunnel_mtu.ts";

const SECOND = 1_000_000;

/** A link of `mbps` that carries IP packets of `size` bytes over IPv4. */
function link(size: number, mbps: number): { packetBytes: number; rateBps: number } {
  return { packetBytes: size - 66, rateBps: mbps * 1e6 };
}

Deno.test("bestPacketBytes() is what all links carry, when none of them is negligible", () => {
  assertEquals(bestPacketBytes([link(1500, 50), link(1492, 50)], 1434), 1426);
  assertEquals(bestPacketBytes([link(1500, 50), link(1280, 5)], 1434), 1214);
  assertEquals(bestPacketBytes([link(1420, 20), link(1358, 20), link(1492, 20)], 1434), 1292);
});

Deno.test("bestPacketBytes() leaves a narrow link that adds less than its size costs to small packets", () => {
  assertEquals(bestPacketBytes([link(1500, 100), link(1280, 1)], 1434), 1434);
  assertEquals(bestPacketBytes([link(1500, 100), link(1492, 100), link(1280, 2)], 1434), 1426);
});

Deno.test("bestPacketBytes() keeps what it is without links, and grows with all of them", () => {
  assertEquals(bestPacketBytes([], 1300), 1300);
  assertEquals(bestPacketBytes([link(1500, 10), link(1492, 10)], 1214), 1426);
});

Deno.test("bestPacketBytes() is near the best of all sizes, over any links", () => {
  const links = fc.array(
    fc.record({
      packetBytes: fc.integer({ min: 1134, max: 1434 }),
      rateBps: fc.integer({ min: 1, max: 1e9 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const goodput = (
    of: readonly { packetBytes: number; rateBps: number }[],
    bytes: number,
  ): number =>
    (bytes - 40) / (bytes + 66) *
    of.reduce((sum, it) => sum + (it.packetBytes >= bytes ? it.rateBps : 0), 0);
  fc.assert(fc.property(links, fc.integer({ min: 1134, max: 1434 }), (of, current) => {
    const most = Math.max(...of.map(({ packetBytes }) => goodput(of, packetBytes)));
    return goodput(of, bestPacketBytes(of, current)) >= most / 1.02;
  }));
});

/** Paths that are known to carry these sizes. */
function paths(...sizes: readonly number[]): Path[] {
  return sizes.map((size, id) => {
    const path = new Path(
      { id, name: `l${id}`, tier: "primary", metered: false, uploadBps: 20e6, timeoutUs: SECOND },
      0,
      id,
      remoteOf(Uint8Array.of(192, 0, 2, 1), 5080),
    );
    carry(path, size);
    return path;
  });
}

function carry({ mtu }: Path, size: number): void {
  mtu.restart();
  for (let now = 1; !mtu.isKnown; now += SECOND) {
    for (;;) {
      const asked = mtu.pollProbe(now, 0);
      if (asked === 0) break;
      if (asked <= size) mtu.handleAck(asked);
    }
  }
}

Deno.test("TunnelMtu falls at once and rises after five seconds", () => {
  const links = paths(1500, 1500);
  const mtu = new TunnelMtu(1434);
  assertEquals([mtu.update(0, links), mtu.bytes], [false, 1434]);
  carry(links[1]!, 1400);
  assertEquals([mtu.update(1, links), mtu.bytes], [true, 1334]);
  carry(links[1]!, 1500);
  assertEquals([mtu.update(2 * SECOND, links), mtu.bytes], [false, 1334]);
  assertEquals(mtu.timeoutAtUs, 7 * SECOND);
  assertEquals([mtu.update(7 * SECOND - 1, links), mtu.bytes], [false, 1334]);
  assertEquals([mtu.update(7 * SECOND, links), mtu.bytes], [true, 1434]);
  assertEquals(mtu.timeoutAtUs, Infinity);
});

Deno.test("TunnelMtu does not rise for a link that gets narrow again before five seconds", () => {
  const links = paths(1400);
  const mtu = new TunnelMtu(1434);
  mtu.update(0, links);
  carry(links[0]!, 1500);
  mtu.update(SECOND, links);
  carry(links[0]!, 1400);
  assertEquals([mtu.update(2 * SECOND, links), mtu.timeoutAtUs], [false, Infinity]);
  assertEquals(mtu.bytes, 1334);
});

Deno.test("TunnelMtu never exceeds what both ends take", () => {
  const mtu = new TunnelMtu(1434);
  mtu.agree(1300);
  assertEquals([mtu.update(0, paths(1500)), mtu.bytes], [true, 1300]);
  mtu.agree(0);
  mtu.update(1, paths(1500));
  assertEquals(mtu.bytes, 576, "a peer cannot ask for less");
});

Deno.test("TunnelMtu counts a backup only while it is used", () => {
  const links = paths(1500, 1280);
  links[1]!.tier = "backup";
  links[0]!.handleProbeAck(10, links[0]!.nextProbe(0));
  const mtu = new TunnelMtu(1434);
  assertEquals([mtu.update(0, links), mtu.bytes], [false, 1434]);
  links[0]!.live.handleUnreachable(SECOND, "no route");
  mtu.update(SECOND, links);
  assertEquals(mtu.bytes, 1214);
});
