/**
 * `aggvpn doctor` over lines whose faults are known: each has its one line of advice, and figures are
 * those of the emulator.
 *
 *     client [doctor] == line1: emulated ====== [aggvpn] server 203.0.113.1
 *                     == line2: emulated ======
 *
 * @module
 */

import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import type { Finding } from "../../src/doctor/finding.ts";
import type { LinkFacts } from "../../src/doctor/facts.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { labCommand } from "../../lab/process.ts";
import { INNER, Program, type ProgramOptions } from "../../lab/program.ts";
import { programTest } from "../../lab/require.ts";
import { buildEmulated, type LineSpec, SERVER_ADDRESS, symmetric } from "../../lab/topology.ts";
import { freshPort, tcpTransfer } from "../../lab/traffic.ts";

type Examined = LinkFacts & { readonly findings: readonly Finding[] };

interface Document {
  readonly running: boolean;
  readonly faults: number;
  readonly links: readonly Examined[];
}

/** Examines the client's links. The exit status must agree with what is found. */
async function examine(program: Program, ...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await program.run(
    "client",
    "doctor",
    "--json",
    program.file("client"),
    ...args,
  );
  assert(stdout !== "", stderr);
  assertEquals(stderr, "");
  const document = JSON.parse(stdout) as Document;
  assertEquals(code, document.faults === 0 ? 0 : 1);
  return document;
}

/**
 * Calls `attempt` again when it fails, twice at most: on a host that is busy a line may be late, or
 * lose something, that is good.
 */
async function withPatience(attempt: () => Promise<void>): Promise<void> {
  for (let left = 2;; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** What is said of a link that is not all right, with the advice. */
function complaints({ findings }: Examined): string[] {
  return findings.filter(({ verdict }) => verdict === "fault" || verdict === "note")
    .map(({ check, text, advice }) => `${check}: ${text} -> ${advice}`);
}

/** The only complaint of a link must be this. */
function assertOnly(link: Examined | undefined, expected: RegExp): void {
  const all = complaints(link!);
  assertEquals(all.length, 1, all.join("\n"));
  assertMatch(all[0]!, expected);
}

async function start(
  lab: Lab,
  lines: readonly LineSpec[],
  options: ProgramOptions = {},
): Promise<{ net: Awaited<ReturnType<typeof buildEmulated>>; program: Program }> {
  const net = await buildEmulated(lab, lines);
  return { net, program: await Program.prepare(lab, net, options) };
}

programTest(
  "aggvpn doctor finds no fault in good lines, and measures what they are",
  async (lab) => {
    const { program } = await start(lab, [symmetric(20, 30, { queueUs: 50_000 }), {
      up: { rateBps: 5e6, delayUs: 20_000, queueUs: 50_000 },
      down: { rateBps: 40e6, delayUs: 20_000, queueUs: 50_000 },
    }]);
    await program.up("server");
    await withPatience(async () => {
      const { running, faults, links: [line1, line2] } = await examine(program, "--speed");
      assertEquals([running, faults], [false, 0], JSON.stringify([line1, line2], null, 1));
      assertEquals([complaints(line1!), complaints(line2!)], [[], []]);
      assertAlmostEquals(line1!.idle!.rttUs / 1000, 30, 6);
      assertAlmostEquals(line1!.up!.bps / 1e6, 20, 2);
      assertAlmostEquals(line1!.down!.bps / 1e6, 20, 2);
      assertAlmostEquals(line2!.up!.bps / 1e6, 5, 0.5);
      assertAlmostEquals(line2!.down!.bps / 1e6, 40, 4);
      assertEquals([line1!.mtuUp, line1!.mtuDown], [1500, 1500]);
      assertEquals(line1!.local, line1!.seenAs);
    });
  },
);

programTest("aggvpn doctor tells narrow, bloated and lossy lines", async (lab) => {
  const { net, program } = await start(lab, [
    symmetric(50, 20),
    symmetric(10, 20, { queueUs: 300_000 }),
    symmetric(50, 20, { loss: 0.03 }),
  ]);
  await net.emulator!.narrow(0, 1492);
  await program.up("server");
  await withPatience(async () => {
    const { links: [narrow, , lossy] } = await examine(program);
    assertOnly(narrow, /^size: packets of 1492 bytes up, 1492 down -> Usual for PPPoE/);
    assertOnly(lossy, /^loss: \d.* -> Look at cables, Wi-Fi/);
  });
  await withPatience(async () => {
    const { links: [bloated] } = await examine(program, "line2", "--speed");
    const [up, down] = complaints(bloated!);
    assertMatch(up!, /^upload: .* grade D -> Switch on SQM/);
    assertMatch(down!, /^download: .* grade D -> Switch on SQM/);
    assertAlmostEquals((bloated!.up!.rttUs - bloated!.idle!.rttUs) / 1000, 300, 40);
    assertAlmostEquals(bloated!.down!.bps / 1e6, 10, 1);
  });
});

programTest("aggvpn doctor beside a running tunnel does no harm to it", async (lab) => {
  const { net, program } = await start(lab, [symmetric(20, 20), symmetric(20, 20)]);
  await program.up("server");
  const client = await program.up("client");
  await program.connected();
  const flow = { from: net.client, to: net.server, address: INNER.server };
  const transfer = (seconds: number): ReturnType<typeof tcpTransfer> =>
    tcpTransfer(lab, { ...flow, port: freshPort() }, seconds, { warmupSeconds: 3 });
  const alone = await transfer(10);
  const [beside, document] = await Promise.all([transfer(15), examine(program)]);
  assert(document.running);
  for (const { idle } of document.links) assert(idle!.isBusy, "it notices the transfer");
  assert(beside.bps > 0.7 * alone.bps, `${beside.bps} instead of ${alone.bps}`);
  await withPatience(async () => {
    const { links: [loaded] } = await examine(program, "line1", "--speed");
    assertAlmostEquals(loaded!.up!.bps / 1e6, 20, 2);
    assertAlmostEquals(loaded!.down!.bps / 1e6, 20, 2);
  });
  assertEquals(client.stderr.filter((line) => /is down/.test(line)), []);
  const after = await transfer(10);
  assert(after.bps > 0.7 * alone.bps, `${after.bps} instead of ${alone.bps}`);
});

programTest(
  "aggvpn doctor names interfaces that are missing, and links that do not exist",
  async (lab) => {
    const { program } = await start(lab, [symmetric(50, 20)]);
    await program.up("server");
    const text = await Deno.readTextFile(program.file("client"));
    await program.write("client", `${text}[link.lte]\nport = 5081\ninterface = "wwan7"\n`);
    await withPatience(async () => {
      const { links: [fine, lte] } = await examine(program);
      assertEquals(complaints(fine!), []);
      assertOnly(lte, /^way: wwan7 does not exist -> Plug it in or set it up/);
    });
    const { code, stderr } = await program.run("client", "doctor", program.file("client"), "lta");
    assertEquals([code, stderr.includes('There is no link "lta"')], [1, true], stderr);
    const server = await program.run("server", "doctor", program.file("server"));
    assertMatch(server.stderr, /is of a server.*\nhint: Run `aggvpn doctor` at a client/);
  },
);

programTest(
  "aggvpn doctor tells a closed port, a wrong password and silence apart",
  async (lab) => {
    const { net, program } = await start(lab, [symmetric(50, 20)]);
    const nobody = (await examine(program)).links[0];
    assertOnly(
      nobody,
      /^server: 203.0.113.1:5080 says that its port is closed -> Start the server/,
    );
    await net.emulator!.cut(0, true);
    const silent = (await examine(program)).links[0];
    assertOnly(silent, /^server: nothing at all comes back from .* -> Is the server up/);
    await net.emulator!.cut(0, false);
    await program.up("server");
    await program.configure({ password: { client: "another one" } });
    const wrong = (await examine(program)).links[0];
    assertOnly(wrong, /^server: .* its password is another -> Use one password at both ends/);
  },
);

programTest(
  "aggvpn doctor suspects a firewall where one link is silent and another works",
  async (lab) => {
    const { net, program } = await start(lab, [symmetric(50, 20), symmetric(50, 20)]);
    await program.up("server");
    const rule = "table inet f { chain c { type filter hook input priority 0; " +
      "iifname line2 meta l4proto udp drop; }; }";
    const { code, stderr } = await lab.attempt(net.server, ["nft", rule]);
    assertEquals(code, 0, stderr);
    await withPatience(async () => {
      const { links: [line1, line2] } = await examine(program);
      assertEquals(complaints(line1!), []);
      assertOnly(
        line2,
        /^server: nothing comes back .* while other links work -> .* UDP to port 5081/,
      );
    });
  },
  "nft",
);

programTest("aggvpn doctor finds a captive portal by the page it is told", async (lab) => {
  const { net, program } = await start(lab, [symmetric(50, 20)]);
  await program.up("server");
  const serve = async (port: number, status: number): Promise<string> => {
    const command = labCommand("./tools/main.ts", "portal", SERVER_ADDRESS, `${port}`, `${status}`);
    await lab.spawn(net.server, command).line();
    return `--portal=http://${SERVER_ADDRESS}:${port}/generate_204`;
  };
  const [open, closed] = [await serve(8204, 204), await serve(8302, 302)];
  await withPatience(async () => {
    const { links: [free] } = await examine(program, open);
    assertEquals(complaints(free!), []);
    const { links: [captured] } = await examine(program, closed);
    assertOnly(
      captured,
      /^portal: a captive portal answers: 302, http:\/\/login\.example\/ -> Log in/,
    );
  });
});

/** What a router does that has one address for all, and forgets after 20 s, on the client's host. */
const NAT = `table ip nat {
  chain out { type nat hook postrouting priority 100; oifname line1 meta l4proto udp masquerade to :40000-40999; }
  chain in { type filter hook input priority 0; iifname line1 ct state new,invalid drop; }
}`;
const FORGETS = {
  "net/netfilter/nf_conntrack_udp_timeout": "20",
  "net/netfilter/nf_conntrack_udp_timeout_stream": "20",
};

programTest(
  "aggvpn doctor finds out what a NAT makes of a link, and with --long when it forgets",
  async (lab) => {
    const { net, program } = await start(lab, [symmetric(50, 20)]);
    await program.up("server");
    const { code, stderr } = await lab.attempt(net.client, ["nft", NAT]);
    assertEquals(code, 0, stderr);
    await lab.sysctl(net.client, FORGETS);
    const { links: [link] } = await examine(program, "--long");
    assertEquals(link!.mapping, { livesS: 15, endsS: 30 });
    assertMatch(link!.seenAs!, /:40\d{3}$/);
    const texts = link!.findings.filter(({ check }) => check === "nat").map(({ text }) => text);
    assertMatch(texts[0]!, /becomes .*, the port changes$/);
  },
  "nft",
);
