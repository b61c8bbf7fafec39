/**
 * aggvpn(8), made from the commands.
 *
 * @module
 */

import type { Command, Flag } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { GLOBAL_FLAGS, TOP_FLAGS } from "../../src/cli/help.ts";
import { EXIT } from "../../src/errors.ts";
import { argument, display, head, paragraph, paragraphs, tagged } from "./mdoc.ts";

const DESCRIPTION =
  `aggvpn joins several internet links into one encrypted tunnel. It runs at both ends of it: at a
gateway that has the links (the client), and at a host in a data centre (the server), where the
packets leave for the internet.

Each tunnel has a configuration file, which \`aggvpn check\` checks and \`aggvpn up\` runs.`;

/** What each status of EXIT means. */
const EXIT_DOCS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "What was asked for has been done.",
  failure: "It could not be done; the message says why, and often what to do.",
  usage: "The command line is wrong.",
  config: "The configuration file cannot be used.",
  noSession: "`aggvpn status` found a tunnel without a session of which a link works.",
};

const FILES: readonly (readonly [path: string, doc: string])[] = [
  ["/etc/aggvpn/NAME.toml", "Configuration of the tunnel NAME, by convention."],
  ["/var/run/aggvpn/NAME.sock", "Where a running tunnel is asked for its status."],
  ["/var/run/aggvpn/NAME.changes", "What to undo after a crash."],
  ["/var/lib/aggvpn", "What is kept across restarts, on Linux: quotas, the time of handshakes."],
  ["/var/db/aggvpn", "The same on OpenBSD."],
  ["/var/cache/aggvpn", "The unpacked runtime, where the program is one executable file."],
];

const ENVIRONMENT: readonly (readonly [name: string, doc: string])[] = [
  ["NO_COLOR", "No colour is used unless `--color=always` asks for it."],
  ["AGGVPN_CACHE_DIR", "Where the runtime is unpacked to instead of /var/cache/aggvpn."],
  [
    "NOTIFY_SOCKET",
    "Set by systemd: `aggvpn up` tells there when it is set up and how it is; with " +
    "`WATCHDOG_USEC` also that it is alive.",
  ],
  [
    "JOURNAL_STREAM",
    "Set by systemd: while standard error is that stream, the journal gets each message with its " +
    "priority and fields.",
  ],
];

const EXAMPLE = `# aggvpn genkey /etc/aggvpn/secret
# aggvpn check /etc/aggvpn/client.toml
# aggvpn up /etc/aggvpn/client.toml
`;

/** Returns the page as mdoc(7). */
export function aggvpn8(date: Date, commands: readonly Command[] = COMMANDS): string {
  return [
    head({
      name: "aggvpn",
      section: 8,
      summary: "join several internet links into one encrypted tunnel",
      date,
    }),
    `.Sh SYNOPSIS\n${commands.map(synopsis).join("")}`,
    `.Sh DESCRIPTION\n${paragraphs(DESCRIPTION)}.Pp\nEvery command has these flags:\n`,
    flagList(GLOBAL_FLAGS),
    `Without a command there are also:\n`,
    flagList(without(TOP_FLAGS, GLOBAL_FLAGS)),
    `.Sh COMMANDS\n${tagged(commands.map((command) => [term(command), body(command)]))}`,
    `.Sh ENVIRONMENT\n${tagged(ENVIRONMENT.map(([name, doc]) => [`Ev ${name}`, paragraph(doc)]))}`,
    `.Sh FILES\n${tagged(FILES.map(([path, doc]) => [`Pa ${path}`, paragraph(doc)]))}`,
    `.Sh EXIT STATUS\n${tagged(exitItems())}`,
    `.Sh EXAMPLES\nMake a key, check a configuration and run its tunnel:\n${display(EXAMPLE)}`,
    ".Sh SEE ALSO\n.Xr aggvpn.toml 5\n",
  ].join("");
}

function synopsis(command: Command): string {
  const flags = Object.entries(command.flags).map(([name, flag]) =>
    `.Op ${flagWords(name, flag)}\n`
  );
  return `.Nm\n.Cm ${command.name}\n${flags.join("")}${operands(command, "\n.")}`;
}

/** Operands as macros: `.Ar FILE`, `.Op Ar NAME`; `before` begins each. */
function operands(command: Command, before: string): string {
  const macros = command.operands.match(/\[[^\]]*\]|\S+/g) ?? [];
  const words = macros.map((operand) => {
    const isOptional = operand.startsWith("[");
    const name = operand.replace(/^\[|\]$/g, "");
    return `${isOptional ? "Op " : ""}Ar ${argument(name)}`;
  });
  return before === "\n." ? words.map((word) => `.${word}\n`).join("") : words.join(" ");
}

function term(command: Command): string {
  return `Cm ${command.name} ${operands(command, " ")}`.trimEnd();
}

function body({ summary, description, flags }: Command): string {
  const list = Object.keys(flags).length === 0 ? "" : flagList(flags);
  return `${paragraph(`${summary}.`)}.Pp\n${paragraphs(description)}${list}`;
}

function flagList(flags: Readonly<Record<string, Flag>>): string {
  return tagged(
    Object.entries(flags).map(([name, flag]) => [flagWords(name, flag), paragraph(`${flag.doc}.`)]),
  );
}

function flagWords(name: string, { short, value }: Flag): string {
  const long = `Fl \\-${name.replaceAll("-", "\\-")}`;
  const taking = value === undefined ? long : `${long} Ns = Ns Ar ${argument(value)}`;
  return short === undefined ? taking : `Fl ${short} , ${taking}`;
}

function without(
  flags: Readonly<Record<string, Flag>>,
  others: Readonly<Record<string, Flag>>,
): Readonly<Record<string, Flag>> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(others, name)));
}

function exitItems(): (readonly [string, string])[] {
  return Object.entries(EXIT).map(([name, status]) => [
    `Li ${status}`,
    paragraph(EXIT_DOCS[name as keyof typeof EXIT]),
  ]);
}
