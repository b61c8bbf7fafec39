/**
 * A tunnel that takes on another configuration while it carries traffic:
 *
 *     client [agg0 10.44.43.1] == line1, line2: 50 Mbit/s, 20 ms == [agg0 10.44.43.2] server
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tried } from "../../lab/compare.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { INNER, Program, type Side } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, udpStream } from "../../lab/traffic.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
/** What the lines carry is known, so that nothing is lost in finding it out. */
const RATES = LINES.map(() => ({ up: 50, down: 50 }));
const STREAM = { packetsPerSecond: 1000, sizeBytes: 300, seconds: 12 };
type Stream = Awaited<ReturnType<typeof udpStream>>;
const PASSWORD = "not a secret, only a test";
const RELOADS = 20;
/** Enough time for what takes a moment on an idle host. */
const PATIENCE_MS = 30_000;

function flow(net: Topology, to: Side): Flow {
  const from = to === "client" ? net.server : net.client;
  return { from, to: net[to], address: INNER[to], port: freshPort() };
}

/** Replaces parts of a side's configuration. */
async function edit(
  program: Program,
  side: Side,
  change: (text: string) => string,
): Promise<string> {
  const text = change(await Deno.readTextFile(program.file(side)));
  await program.write(side, text);
  return text;
}

/** Runs the program in a side's namespace; returns what it printed. Throws when it fails. */
async function ask(program: Program, side: Side, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await program.run(side, ...args);
  assertEquals(code, 0, stderr);
  return stdout;
}

/**
 * Streams of packets both ways while `during` goes on; asserts that none was lost. A host that is busy
 * with something else may lose some by itself, but not again and again.
 */
async function losesNothing(
  lab: Lab,
  net: Topology,
  during: () => Promise<void>,
): Promise<void> {
  const isWhole = ({ sent, received }: Stream): boolean => received === sent;
  const reports = await tried(async () => {
    const to = ["client", "server"] as const;
    const streams = to.map((side) => udpStream(lab, flow(net, side), STREAM));
    await during();
    return await Promise.all(streams);
  }, (reports) => reports.every(isWhole));
  const least = 0.9 * STREAM.packetsPerSecond * STREAM.seconds;
  assert(reports.every(({ sent }) => sent > least), JSON.stringify(reports));
  assert(reports.every(isWhole), JSON.stringify(reports));
}

/** The server's file with clients in tables, so that it can have several. */
function withClients(text: string): string {
  const client = `[client.main]\npassword = "${PASSWORD}"\naddress = "${INNER.client}"\n`;
  return text.replace(/^password = .*\n/m, "") + client;
}

programTest(
  "aggvpn reload adds and removes clients 20 times, and no other loses a packet",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.prepare(lab, net, { ipv4Only: true, rates: RATES });
    const plain = await edit(program, "server", withClients);
    await Promise.all([program.up("server"), program.up("client")]);
    await program.connected();
    await losesNothing(lab, net, async () => {
      for (let i = 0; i < RELOADS; i++) {
        // What a pass phrase costs must not stop the packets of others.
        const other = i % 2 === 0
          ? `[client.other]\npassword = "another pass phrase ${i}"\naddress = "10.44.43.3"\n`
          : "";
        const duplicate = i % 4 < 2 ? 'duplicate = "auto"\n' : "";
        const text = plain.replace("[tunnel]\n", `[tunnel]\n${duplicate}`) + other;
        await program.write("server", text);
        const said = await ask(program, "server", "reload", program.file("server"));
        assertStringIncludes(said, `client other ${i % 2 === 0 ? "added" : "removed"}`);
      }
    });
    const child = program.child("server");
    assertEquals(child.stderr.filter((line) => /Session with main is down/.test(line)), []);
  },
);

programTest("aggvpn reload adds and removes a link under traffic, at both ends", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.prepare(lab, net, { rates: RATES });
  const both = await Deno.readTextFile(program.file("client"));
  const one = both.slice(0, both.indexOf("[link.line2]"));
  await program.write("client", one);
  await Promise.all([program.up("server"), program.up("client")]);
  const linksAre = async (...names: readonly string[]): Promise<void> => {
    const isSo = (side: Side): Promise<boolean> =>
      program.linksUp(side).then((up) => up.join() === names.join());
    const sides = ["client", "server"] as const;
    const all = async (): Promise<boolean> => (await Promise.all(sides.map(isSo))).every(Boolean);
    assert(await eventually(all, PATIENCE_MS), names.join());
  };
  await linksAre("line1");
  await losesNothing(lab, net, async () => {
    for (let i = 0; i < 3; i++) {
      await program.write("client", both);
      assertEquals(
        await ask(program, "client", "reload", program.file("client")),
        "link line2 added\n",
      );
      await linksAre("line1", "line2");
      await program.write("client", one);
      assertEquals(
        await ask(program, "client", "reload", program.file("client")),
        "link line2 removed\n",
      );
      await linksAre("line1");
    }
  });
});

programTest(
  "aggvpn reload applies nothing of a file that is wrong or needs a restart, and says why",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.start(lab, net, { rates: RATES });
    const good = await Deno.readTextFile(program.file("client"));
    await program.write("client", good.replace("[link.line1]", '[link.line1]\ntier = "best"'));
    const wrong = await program.run("client", "reload", program.control("client"));
    assertEquals(wrong.code, 3);
    assertMatch(wrong.stderr, /tier/);
    const log = program.child("client");
    assert(await log.says("Not reloaded", PATIENCE_MS), log.stderr.join("\n"));

    const mtu = good.replace("[tunnel]", "[tunnel]\nmtu = 1300").replace(
      /\[link\.line2\][^[]*/,
      "",
    );
    await program.write("client", mtu);
    const refused = await program.run("client", "reload", program.control("client"));
    assertEquals(refused.code, 1);
    assertStringIncludes(
      refused.stderr,
      "A change of tunnel.mtu needs a restart: nothing was applied",
    );
    assertEquals(await program.linksUp("client"), ["line1", "line2"]);
  },
);

programTest(
  "SIGHUP reloads: routes come and go with the file, and all are gone at the end",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.start(lab, net, { rates: RATES });
    const routes = async (): Promise<string> =>
      (await lab.attempt(net.client, ["ip", "route", "show", "dev", "agg0"])).stdout;
    const hangup = async (list: string): Promise<void> => {
      await edit(program, "client", (text) =>
        text.replace(/^routes = .*\n/m, "").replace(
          "[tunnel]\n",
          `[tunnel]\nroutes = [${list}]\n`,
        ));
      Deno.kill(program.child("client").pid, "SIGHUP");
    };
    await hangup('"10.9.0.0/16", "10.8.0.0/16"');
    assert(
      await eventually(
        async () => /10\.8\.0\.0.*\n.*10\.9\.0\.0/.test(await routes()),
        PATIENCE_MS,
      ),
    );
    await hangup('"10.9.0.0/16", "10.7.0.0/16"');
    assert(
      await eventually(async () => (await routes()).includes("10.7.0.0/16"), PATIENCE_MS),
    );
    assertEquals((await routes()).includes("10.8.0.0"), false);
    assert(
      await program.child("client").says("was reloaded by SIGHUP: tunnel.routes", PATIENCE_MS),
    );
  },
);

programTest("aggvpn link, limit and log change a running client, and say so", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, { rates: RATES });
  const tunnel = `--tunnel=${program.control("client")}`;
  const reasonOf = async (name: string): Promise<string> => {
    const links = (await program.status("client"))!.tunnel.peers[0]!.links;
    return links.find((link) => link.name === name)?.reason ?? "none";
  };
  await losesNothing(lab, net, async () => {
    const off = await ask(program, "client", "link", "line2", "off", "for", "3s", tunnel);
    assertMatch(off, /^Link line2 is off, until \d\d:\d\d\n$/);
    assert(
      await eventually(async () => `${await program.linksUp("server")}` === "line1", PATIENCE_MS),
    );
    assertMatch(await reasonOf("line2"), /^switched off by aggvpn link, until \d\d:\d\d$/);
    assert(
      await eventually(
        async () => `${await program.linksUp("client")}` === "line1,line2",
        PATIENCE_MS,
      ),
      "it ends by itself",
    );
    const limited = await ask(program, "client", "limit", "line2", "up", "5Mbit/s", tunnel);
    assertEquals(limited, "Link line2 is limited to 5 Mbit/s up, until a reload or restart\n");
    await ask(program, "client", "link", "line2", "backup", tunnel);
    assertMatch(await reasonOf("line2"), /^backup/);
  });
  const links = (await program.status("client"))!.tunnel.peers[0]!.links;
  assertEquals(links.map(({ tier }) => tier), ["primary", "backup"]);
  assert(links[1]!.rateBps <= 5e6, `${links[1]!.rateBps}`);
  await ask(program, "client", "log", "debug", tunnel);
  await ask(program, "client", "link", "line2", "overflow", tunnel);
  const agreed = "has new keys";
  assert(await program.child("client").says(agreed, PATIENCE_MS));

  const text = await ask(program, "client", "status", "--config", program.control("client"));
  assertStringIncludes(text, 'tier = "overflow"');
  assertStringIncludes(text, 'bandwidth_upload = "5 Mbit/s"');
  assertStringIncludes(text, "# password = (as in ");
  assert(!text.includes(PASSWORD), "it holds no secret");
  const said = await ask(program, "client", "reload", program.control("client"));
  assertStringIncludes(said, "forgotten: link line2: overflow");
  const after = (await program.status("client"))!;
  assertEquals(after.tunnel.peers[0]!.links.map(({ tier }) => tier), ["primary", "primary"]);
  assertEquals(after.daemon.changes, undefined);
});

programTest("aggvpn link adds and removes a link of a running client", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, { rates: RATES });
  const tunnel = `--tunnel=${program.control("client")}`;
  await ask(program, "client", "link", "line2", "remove", tunnel);
  assert(
    await eventually(async () => `${await program.linksUp("server")}` === "line1", PATIENCE_MS),
  );
  const { interface: by } = net.lines[1]!;
  await ask(
    program,
    "client",
    "link",
    "extra",
    "add",
    `interface=${by}`,
    "port=5081",
    "tier=backup",
    tunnel,
  );
  assert(
    await eventually(
      async () => `${await program.linksUp("server")}` === "line1,extra",
      PATIENCE_MS,
    ),
  );
  const wrong = await program.run(
    "client",
    "link",
    "more",
    "add",
    "port=5080",
    "interfaces=eth9",
    tunnel,
  );
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, 'unknown key "interfaces"');
  await ask(program, "client", "link", "extra", "remove", tunnel);
  assert(
    await eventually(async () => `${await program.linksUp("client")}` === "line1", PATIENCE_MS),
  );
});
