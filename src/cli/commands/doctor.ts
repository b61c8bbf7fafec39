/** `aggvpn doctor`: examines the links of a client, and says what is wrong with them. */

import type { ClientModeConfig } from "../../config/config.ts";
import { isAlive } from "../../control/server.ts";
import type { Diagnosis } from "../../doctor/diagnose.ts";
import { AggvpnError, EXIT } from "../../errors.ts";
import { detectPlatform } from "../../platform/detect.ts";
import type { Command, Shell } from "../command.ts";
import { doctorText } from "../doctor_text.ts";
import { findClient } from "../find_client.ts";
import { ProgressLine } from "../progress_line.ts";

/** Version of the JSON document; fields are only ever added to one version. */
const JSON_VERSION = 1;

/** Examines a client's links. */
export const doctor: Command = {
  name: "doctor",
  operands: "[FILE|NAME] [LINK]",
  summary: "Find out what is wrong with a client's links",
  description:
    `Looks at each link, or at LINK only: its name server, its way out of this host, whether the
server answers by it, round trip, jitter and losses, the size of packets it carries both ways, and
what a NAT makes of it. It takes about ten seconds. Each fault has one line of advice.

A tunnel that runs is asked, and measures in its own session without harm to what it carries.
Otherwise a session is made for the purpose, without an interface and without changing this host;
do not do that while another host runs the tunnel with the same key, which would lose it meanwhile.

With --speed each link is filled for 5 seconds up and 5 seconds down: what it carries, and how much
longer a round trip takes meanwhile, with a grade from A (less than 30 ms) over B (60), C (200) and
D (400) to F. Others on that line notice it, and it uses as many bytes as the line carries. A link
that is metered or has a quota is filled only when it is named as LINK.

With --long, and while the tunnel does not run, links are left alone for 15, 30 and 60 seconds to
see whether a NAT still lets the server through.

With --portal URL a page that is known to answer 204 is asked for by each link, to find a portal at
which one has to log in. Whoever serves it sees the address of the link; nobody is asked without it.

Exit status: 0 when there is no fault, 1 when there is one.`,
  flags: {
    speed: { doc: "Fill each link for 10 seconds, to measure what it carries" },
    long: { doc: "Find out how long a NAT remembers, which takes two minutes" },
    portal: { doc: "Ask for this page, which answers 204, by each link", value: "URL" },
    json: { doc: "Print one JSON document, in which fields are only ever added" },
  },

  async run(shell, { operands, flags }): Promise<number> {
    const { portal } = flags;
    // Imported here: the ciphers' tables would cost every other command a quarter of its time.
    const { parsePortalUrl } = await import("../../doctor/portal.ts");
    const url = typeof portal === "string" ? parsePortalUrl(portal) : undefined;
    const config = await findClient(operands[0], "doctor");
    const wanted = { speed: flags.speed === true, long: flags.long === true, portal: url };
    using progress = new ProgressLine();
    const diagnosis = await examineClient(config, operands[1], wanted, progress);
    progress.clear();
    if (flags.json === true) printJson(shell, diagnosis);
    else shell.stdout(doctorText(diagnosis, shell.columns, shell.color));
    return diagnosis.faults === 0 ? EXIT.ok : EXIT.failure;
  },
};

interface Wanted {
  readonly speed: boolean;
  readonly long: boolean;
  readonly portal: URL | undefined;
}

async function examineClient(
  config: ClientModeConfig,
  link: string | undefined,
  wanted: Wanted,
  progress: ProgressLine,
): Promise<Diagnosis> {
  const { findLinks } = await import("../../daemon/found_links.ts");
  const { diagnose } = await import("../../doctor/diagnose.ts");
  const { examine } = await import("../../doctor/examine.ts");
  const { openRunning } = await import("../../doctor/running.ts");
  const { openSession } = await import("../../doctor/session.ts");
  const platform = detectPlatform();
  const settled = findLinks(config, platform).settled as ClientModeConfig;
  const links = linksOf(settled, link);
  await using subject = await isAlive(config.control)
    ? await openRunning(config.control)
    : await openSession(settled, platform);
  return diagnose(
    await examine(subject, {
      ...wanted,
      config: settled,
      links,
      platform,
      isCostWanted: link !== undefined,
      onProgress: (text) => progress.show(text),
    }),
  );
}

/** Names of the links that are to be examined. Throws AggvpnError. */
function linksOf({ links }: ClientModeConfig, wanted: string | undefined): string[] {
  const names = links.map(({ name }) => name);
  if (names.length === 0) {
    throw new AggvpnError("There is no link: no interface of this host has a default route", {
      hint: '"ip route show default" lists those of this host',
    });
  }
  if (wanted === undefined) return names;
  if (names.includes(wanted)) return [wanted];
  throw new AggvpnError(`There is no link "${wanted}"`, {
    hint: `Name one of ${names.join(", ")}`,
  });
}

function printJson(shell: Shell, { facts, host, links, faults }: Diagnosis): void {
  const { tunnel, isRunning, clock } = facts;
  const document = {
    version: JSON_VERSION,
    tunnel,
    running: isRunning,
    faults,
    host: { ...clock && { clock }, findings: host },
    links: links.map(({ facts: link, findings }) => ({ ...link, findings })),
  };
  shell.stdout(JSON.stringify(document, null, 2) + "\n");
}
