/**
 * Takes the picture of the dashboard in docs/: a tunnel over three emulated lines, as its client's
 * dashboard shows it while a download goes on and one line is cut.
 *
 * @module
 */

import { type Lab, withLab } from "../lab/namespaces.ts";
import { INNER, Program } from "../lab/program.ts";
import { delay } from "../lab/require.ts";
import { buildEmulated, symmetric } from "../lab/topology.ts";
import { freshPort, tcpTransfer } from "../lab/traffic.ts";
import { openBrowserIn } from "../tests/web/browser.ts";

const OUT = new URL("../docs/dashboard.png", import.meta.url).pathname;
/** What is kept of a tunnel of this name is removed. */
const NAME = "picture-of-home";
const LINKS = ["dsl", "lte", "campsite"];
/** What the charts show, in seconds, and when the last line is cut. */
const SPAN_S = 60;
const CUT_S = 38;

await withLab(take);

async function take(lab: Lab): Promise<void> {
  const net = await buildEmulated(lab, [symmetric(40, 22), symmetric(25, 45), symmetric(12, 30)]);
  for (const kept of ["clock", "quota.json"]) {
    lab.onClose(() => Deno.remove(`/var/lib/aggvpn/${NAME}.${kept}`).catch(() => {}));
  }
  const program = await Program.prepare(lab, net, {
    top: { client: `name = "${NAME}"\ndashboard = 9181` },
    link: ["", 'metered = true\nquota = "400 MB"', 'tier = "overflow"'],
  });
  const file = program.file("client");
  const text = await Deno.readTextFile(file);
  await program.write(
    "client",
    text.replaceAll(/\[link\.line(\d)\]/g, (_, i) => {
      return `[link.${LINKS[i - 1]}]`;
    }),
  );
  await Promise.all([program.up("server"), program.up("client")]);
  await program.connected();

  const { stdout: url } = await program.run("client", "dashboard", file);
  const down = { from: net.server, to: net.client, address: INNER.client, port: freshPort() };
  const transfer = tcpTransfer(lab, down, SPAN_S + 5);
  const browser = await openBrowserIn(net.client);
  try {
    const tab = await browser.newPage();
    await tab.setViewport({ width: 1000, height: 1200, deviceScaleFactor: 0.9 });
    await tab.goto(url.trim());
    await tab.waitForSelector("#rows tr");
    await tab.click('#spans [data-seconds="60"]');
    await delay(1000 * CUT_S);
    await net.emulator!.cut(2, true);
    await delay(1000 * (SPAN_S - CUT_S));
    const charts = await (await tab.$("#charts"))!.boundingBox();
    const clip = { x: 0, y: 0, width: 1000, height: charts!.y + charts!.height };
    await tab.screenshot({ path: OUT, clip });
  } finally {
    await browser.close();
  }
  await transfer;
}
