/**
 * /etc/resolv.conf has the tunnel's name servers while it runs, and its old contents after every kind
 * of end. Each host has a file of its own: ip-netns(8) mounts /etc/netns/NAME over /etc.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readDnsHost } from "../../src/platform/linux/dns.ts";
import { Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildVeth } from "../../lab/topology.ts";

/** The copy beside the file is named after it, and /etc is one for all namespaces. */
const DEVICE = `dns${Deno.pid}`;
const OWN = "# mine\nnameserver 198.51.100.53\nsearch example.net\n";
/** Longest time until a change is noticed and put right: an interval, and a busy host. */
const REPAIR_MS = 40_000;

/** Where systemd-resolved or resolvconf runs, those are told instead. */
const isPlain = Deno.build.os === "linux" && readDnsHost(DEVICE).keeper === "file";

if (isPlain) {
  programTest("the name servers of a tunnel are asked while it runs", async (lab) => {
    const net = await buildVeth(lab, 1);
    const directory = `/etc/netns/${net.client}`;
    await Deno.mkdir(directory, { recursive: true });
    lab.onClose(() => Deno.remove(directory, { recursive: true }));
    const file = `${directory}/resolv.conf`;
    await Deno.writeTextFile(file, OWN);
    const program = await Program.prepare(lab, net, {
      tunnel: { client: 'dns = ["10.44.43.2", "2001:db8:44::2"]' },
    });
    const text = await Deno.readTextFile(program.file("client"));
    await program.write("client", text.replace("agg0", DEVICE));
    const ask = (): Promise<string> => Deno.readTextFile(file);
    const during = [
      `# Written by aggvpn for ${DEVICE}, until that ends.`,
      "nameserver 10.44.43.2",
      "nameserver 2001:db8:44::2",
      "search example.net",
      "",
    ].join("\n");

    await program.up("client");
    assertEquals(await ask(), during);
    await program.down("client");
    assertEquals(await ask(), OWN, "after a clean end");

    await program.up("client");
    await program.down("client", "SIGKILL");
    assertEquals(await ask(), during, "after it was killed");
    const { stdout } = await program.run("client", "down", program.file("client"));
    assertStringIncludes(stdout, "- cp -p /etc/resolv.conf.before-");
    assertEquals(await ask(), OWN, "after aggvpn down");

    // As after a loss of power: the journal is gone, the files are not.
    await program.up("client");
    await program.down("client", "SIGKILL");
    await Deno.remove(program.control("client").replace(".sock", ".changes"));
    await program.up("client");
    assertEquals(await ask(), during);

    // A DHCP client with a new lease.
    const fresh = "nameserver 203.0.113.53\n";
    await Deno.writeTextFile(file, fresh);
    const isBack = await eventually(async () => (await ask()).startsWith("# Written"), REPAIR_MS);
    assertEquals(isBack, true);
    assertEquals(await ask(), during);
    await program.down("client");
    assertEquals(await ask(), fresh, "what the host has had last");
  });
}
