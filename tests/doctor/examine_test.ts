/**
 * Examinations over a network in memory, with a session of their own and beside a tunnel that runs.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ClientModeConfig, LinkConfig, ServerModeConfig } from "../../src/config/config.ts";
import { type Daemon, openDaemon } from "../../src/daemon/daemon.ts";
import { controlRequests } from "../../src/daemon/requests.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts";
import type { Facts } from "../../src/doctor/facts.ts";
import { openSession } from "../../src/doctor/session.ts";
import type { Subject } from "../../src/doctor/subject.ts";
import { AggvpnError } from "../../src/errors.ts";
import { MemoryNetwork } from "../../src/platform/memory/network.ts";
import { MemoryPlatform } from "../../src/platform/memory/platform.ts";
import type { LineTestResult, TestWay } from "../../src/tunnel/line_tests.ts";
import { address } from "../addresses.ts";
import { COMMON, secretOf } from "../sample_config.ts";
import { logged } from "../logged.ts";

const SECRET = secretOf(7);
const SERVER: ServerModeConfig = {
  ...COMMON,
  mode: "server",
  listen: [{ host: address("192.0.2.1"), port: 5080 }],
  clients: [{ name: "home", secret: SECRET, allowed: [] }],
};

function link(
  name: string,
  port: number,
  options: Partial<LinkConfig["options"]> = {},
): LinkConfig {
  return {
    name,
    remotes: [{ host: address("192.0.2.1"), port }],
    options: { tier: "primary", metered: false, timeoutUs: 1e6, ...options },
  };
}

function client(...links: readonly LinkConfig[]): ClientModeConfig {
  return { ...COMMON, mode: "client", secret: SECRET, servers: ["server"], links };
}

async function withServer(body: (near: MemoryPlatform) => Promise<void>): Promise<void> {
  const network = new MemoryNetwork();
  const [near, far] = [new MemoryPlatform(network), new MemoryPlatform(network)];
  await using server = await openDaemon({ config: SERVER, platform: far, onChange: () => {} });
  const running = server.run();
  await body(near);
  server.stop();
  await running;
}

async function examined(
  subject: Subject,
  config: ClientModeConfig,
  platform: MemoryPlatform,
  options: Partial<ExamineOptions> = {},
): Promise<Facts> {
  return await examine(subject, {
    config,
    links: config.links.map(({ name }) => name),
    platform,
    speed: false,
    isCostWanted: false,
    long: false,
    portal: undefined,
    onProgress: () => {},
    ...options,
  });
}

Deno.test("examine() finds out by a session of its own what works and what does not", async () => {
  await logged(async () => {
    await withServer(async (near) => {
      near.absent.add("lte");
      near.ways.set("lte", { obstacle: "wwan0 does not exist", interface: 0, mtu: 0 });
      const config = client(link("dsl", 5080), link("lte", 5080), link("cable", 5999));
      await using subject = await openSession(config, near);
      const facts = await examined(subject, config, near);
      const [dsl, lte, cable] = facts.links;
      assertEquals([facts.isRunning, facts.anyUp], [false, true]);
      assertEquals([dsl!.isUp, lte!.isUp, cable!.isUp], [true, false, false]);
      assert(dsl!.idle!.probes > 50 && dsl!.idle!.lossUp === 0, JSON.stringify(dsl));
      assertEquals([dsl!.mtuUp, dsl!.mtuDown], [1500, 1500]);
      assert(dsl!.seenAs?.endsWith(dsl!.local!.split(":")[1]!), JSON.stringify(dsl));
      assertEquals(lte!.obstacle, "wwan0 does not exist");
      assertEquals([cable!.port, cable!.closedPort], ["silent", "silent"]);
      assertEquals(diagnose(facts).faults, 2);
    });
  });
});

/** A subject whose one link is up, and whose tests end at once. */
function fakeSubject(asked: [TestWay, number][], result: Partial<LineTestResult>): Subject {
  const status = {
    peers: [{
      links: [{
        name: "lte",
        state: "up",
        mtu: 1500,
        remoteMtu: 1500,
        remote: "192.0.2.1:5080",
        sentBytes: 0,
        receivedBytes: 0,
      }],
    }],
  };
  const nothing = { bps: 9e6, datagrams: 100, loss: 0 };
  return {
    isRunning: false,
    status: () => Promise.resolve(status as unknown as Awaited<ReturnType<Subject["status"]>>),
    localOf: () => "192.0.2.7:4000",
    socketProblemOf: () => undefined,
    test(_link, way, milliseconds): Promise<LineTestResult> {
      asked.push([way, milliseconds]);
      return Promise.resolve({
        way,
        done: true,
        isUnderstood: true,
        isServed: true,
        probes: 100,
        unanswered: 0,
        roundTripsUs: [20_000, 21_000],
        there: nothing,
        here: nothing,
        ...result,
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("examine() fills a link that costs only when it is named", async () => {
  const platform = new MemoryPlatform(new MemoryNetwork());
  for (const options of [{ metered: true }, { quotaBytes: 1e9 }]) {
    const config = client(link("lte", 5080, options));
    const asked: [TestWay, number][] = [];
    const subject = fakeSubject(asked, {});
    const [spared] = (await examined(subject, config, platform, { speed: true })).links;
    assertEquals(asked.map(([way]) => way), ["idle"]);
    assertEquals(spared!.notFilled, "what it carries costs: name the link to have it filled");
    const named = { speed: true, isCostWanted: true };
    const [filled] = (await examined(subject, config, platform, named)).links;
    assertEquals(asked.map(([way]) => way), ["idle", "idle", "up", "down"]);
    assertEquals([filled!.up!.bps, filled!.down!.bps], [9e6, 9e6]);
  }
});

Deno.test("examine() says what an old server cannot do, and measures the rest", async () => {
  const platform = new MemoryPlatform(new MemoryNetwork());
  const subject = fakeSubject([], { isUnderstood: false, isServed: false });
  const config = client(link("lte", 5080));
  const facts = await examined(subject, config, platform, { speed: true, long: true });
  const [{ up, down, mapping } = {} as Facts["links"][0]] = facts.links;
  assertEquals(up!.bps, 9e6);
  assert(down!.problem?.includes("older version") && mapping!.problem?.includes("older version"));
  assertEquals(diagnose(facts).faults, 0);
});

Deno.test("examine() waits longer each time until a NAT has forgotten", async () => {
  const platform = new MemoryPlatform(new MemoryNetwork());
  const asked: [TestWay, number][] = [];
  const subject = fakeSubject(asked, { isServed: false });
  const config = client(link("lte", 5080));
  const [forgets] = (await examined(subject, config, platform, { long: true })).links;
  assertEquals(forgets!.mapping, { livesS: 0, endsS: 15 });
  const [lasts] = (await examined(fakeSubject(asked, {}), config, platform, { long: true })).links;
  assertEquals(lasts!.mapping, { livesS: 60 });
  const silences = asked.filter(([way]) => way === "silence").map(([, ms]) => ms);
  assertEquals(silences, [15_000, 15_000, 30_000, 60_000]);
});

Deno.test("a running tunnel tests its links when it is asked, and nothing that it cannot", async () => {
  await withServer(async (near) => {
    const config = client(link("dsl", 5080));
    await using daemon: Daemon = await openDaemon({ config, platform: near, onChange: () => {} });
    const running = daemon.run();
    const tunnel = { daemon } as Parameters<typeof controlRequests>[0] extends () => infer T ? T
      : never;
    const { requests } = controlRequests(() => tunnel);
    const test = async (parameters: Record<string, unknown>): Promise<LineTestResult> =>
      await requests["line-test"]!(parameters) as LineTestResult;
    const isUp = (): boolean =>
      daemon.status().tunnel.peers[0]!.links.every(({ state }) => state === "up");
    while (!isUp()) await new Promise((resolve) => setTimeout(resolve, 5));
    const result = await test({ link: "dsl", way: "idle", milliseconds: 300 });
    assert(result.done && result.roundTripsUs.length > 3, JSON.stringify(result));
    for (
      const wrong of [
        { link: "dsl", way: "silence", milliseconds: 300 },
        { link: "dsl", way: "up", milliseconds: 60_000 },
        { link: "dsl", way: "up" },
        { way: "up", milliseconds: 300 },
        { link: "lte", way: "up", milliseconds: 300 },
      ]
    ) {
      await assertRejects(() => test(wrong), AggvpnError, undefined, JSON.stringify(wrong));
    }
    daemon.stop();
    await running;
  });
});
