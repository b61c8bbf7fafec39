/**
 * A client with a key of its own that begins handshakes as fast as it can, while another one's
 * tunnel works.
 *
 *     client [aggvpn] == line1, line2: 50 Mbit/s, 20 ms == [aggvpn] server
 *                                                             |
 *                                       client "mallory" -----+
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { tried } from "../../lab/compare.ts";
import { FIRST_PORT, INNER, Program, usage } from "../../lab/program.ts";
import { delay, programTest } from "../../lab/require.ts";
import { buildEmulated, SERVER_ADDRESS, symmetric } from "../../lab/topology.ts";
import type { EchoReport } from "../../lab/tools/udp.ts";
import { freshPort, ping, runFlood } from "../../lab/traffic.ts";
import { Initiator, tai64n } from "../../src/crypto/handshake.ts";
import { derivePsk } from "../../src/crypto/psk.ts";
import type { LinkOffer } from "../../src/wire/handshake.ts";

const KEY = new Uint8Array(32).fill(0xbb);
const PER_SECOND = 2_000;
const SECONDS = 4;
/** Each handshake is a new one. */
const COUNT = PER_SECOND * SECONDS;
/** What the others may notice, in microseconds. */
const MORE_US = 2_000;

function clientTables(alice: string): string {
  return `
[client.home]
${alice}
address = "${INNER.client}"
address6 = "2001:db8:44::1"
[client.mallory]
password = "aggvpn1:${KEY.toBase64()}"
address = "10.44.43.66"
`;
}

function handshakes(): string[] {
  const keys = derivePsk(KEY);
  const links = Array.from({ length: 8 }, (_, id): LinkOffer => ({
    id,
    tier: "primary",
    metered: false,
    uploadBps: 0,
    downloadBps: 0,
    name: `m${id}`,
  }));
  return Array.from({ length: COUNT }, (_, i) => {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const timestamp = tai64n(Date.now() * 1000 + i);
    const payload = { timestamp, version: 1, features: 1, mtu: 1400, links };
    return new Initiator(keys, secret, i + 1, payload).init(i % 8).toBase64();
  });
}

programTest(
  "aggvpn up serves the others while one client floods it with handshakes",
  async (lab) => {
    const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)], {
      stranger: true,
    });
    const program = await Program.prepare(lab, net);
    const text = await Deno.readTextFile(program.file("server"));
    const password = /^password = .*$/m.exec(text)![0];
    await Deno.writeTextFile(
      program.file("server"),
      text.replace(`${password}\n`, "") + clientTables(password),
    );
    const server = await program.up("server");
    await program.up("client");
    await program.connected();
    const flow = { from: net.client, to: net.server, address: INNER.server };
    const measure = (): Promise<EchoReport> =>
      ping(lab, { ...flow, port: freshPort() }, { count: 300, intervalMs: 10 });
    // A busy host delays everything.
    const { quiet, flooded, cpuSeconds, sent } = await tried(
      async () => {
        const packets = handshakes();
        const quiet = await measure();
        const before = usage(server.pid).cpuSeconds;
        const plan = { address: SERVER_ADDRESS, port: FIRST_PORT, seconds: SECONDS };
        const flood = runFlood(lab, net.stranger!, {
          ...plan,
          kind: "payload",
          packetsPerSecond: PER_SECOND,
          packets,
        });
        await delay(500);
        const flooded = await measure();
        const { sent } = await flood;
        return { quiet, flooded, cpuSeconds: usage(server.pid).cpuSeconds - before, sent };
      },
      ({ quiet, flooded }) =>
        flooded.rttUs.p50 < quiet.rttUs.p50 + MORE_US && flooded.received === flooded.sent,
    );

    assert(sent > 0.8 * PER_SECOND * SECONDS, `only ${sent} handshakes were sent`);
    assertEquals(flooded.received, flooded.sent, "nothing is lost");
    const moreUs = flooded.rttUs.p50 - quiet.rttUs.p50;
    assert(moreUs < MORE_US, `${moreUs} us more than ${quiet.rttUs.p50}`);
    // 500 ms a second when each was answered.
    assert(cpuSeconds < 0.25 * SECONDS, `${cpuSeconds} s of the processor`);
    assertEquals(server.exited, false);
  },
);
