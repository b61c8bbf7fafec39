/** `aggvpn client`: adds clients to a server's file, removes them, lists them. */

import type { Config } from "../../config/config.ts";
import type { HostAndPort } from "../../config/host_port.ts";
import { isAlive } from "../../control/server.ts";
import { AggvpnError, EXIT, UsageError } from "../../errors.ts";
import type { Arguments, Command, Shell } from "../command.ts";
import { askReload } from "./reload.ts";
import { checkHost, checkName, flagValue } from "../setup/flag_values.ts";
import { printInvitation, QR_FLAG } from "../setup/print_invitation.ts";
import { replaceText } from "../setup/secret_file.ts";
import { openServer, withClient, withoutClient } from "../setup/server_clients.ts";

type ServerConfig = Extract<Config, { mode: "server" }>;

const DEFAULT_FILE = "/etc/aggvpn/server.toml";

/** Manages the clients of a server. */
export const client: Command = {
  name: "client",
  operands: "ACTION [NAME] [FILE]",
  completes: { ACTION: ["add", "remove", "list"], NAME: "client" },
  summary: "Add, remove or list the clients of a server",
  description:
    `Changes FILE, the configuration of a server, by default ${DEFAULT_FILE}, and has the server
take over the change if it runs. Comments and everything else in the file stay.

aggvpn client add NAME [FILE]: gives a new client a key and the next free address in the tunnel,
and prints a join string, which \`aggvpn join\` reads on the client.

aggvpn client remove NAME [FILE]: its key counts no longer.

aggvpn client list [FILE]: prints the clients with the addresses and networks they may use.`,
  flags: {
    address: {
      doc: "With add: where the client reaches this server, by default public_address of FILE",
      value: "HOST",
    },
    ...QR_FLAG,
  },

  async run(shell, args): Promise<number> {
    const [action, first, second] = args.operands;
    if (action === "list") {
      if (second !== undefined) throw new UsageError(`Unexpected operand "${second}"`);
      list(first ?? DEFAULT_FILE, shell);
    } else if (action === "add" || action === "remove") {
      const name = nameOf(first, action);
      if (action === "add") await add(name, second ?? DEFAULT_FILE, args, shell);
      else await remove(name, second ?? DEFAULT_FILE, shell);
    } else {
      throw new UsageError(`Unknown action "${action}"`, { hint: "Use add, remove or list" });
    }
    return EXIT.ok;
  },
};

function nameOf(text: string | undefined, action: string): string {
  const hint = { hint: `Usage: aggvpn client ${action} NAME [FILE]` };
  if (text === undefined) throw new UsageError("Missing NAME", hint);
  const name = checkName(text);
  if (typeof name === "string") return name;
  throw new UsageError(`Cannot call a client "${text}": ${name.wrong}`, hint);
}

async function add(name: string, file: string, args: Arguments, shell: Shell): Promise<void> {
  const server = openServer(file, shell.stderr);
  const port = server.config.listen[0]!.port;
  const given = flagValue(args, "address", checkHost) ?? server.config.publicAddress ??
    await findAddress(file);
  const { text, config, key, families } = withClient(server, name);
  replaceText(file, server.text, text);
  const addresses = families.map(({ address }) => address.toAddress()).join(" and ");
  shell.stderr(`Added ${name} to ${file}, with ${addresses}\n`);
  await takeOver(config, shell);
  const servers = [{ host: given.host, port: given.port ?? port }];
  shell.stderr("\n");
  await printInvitation({ name, key, servers, families }, args.flags.qr === true, shell);
}

async function remove(name: string, file: string, shell: Shell): Promise<void> {
  const server = openServer(file, shell.stderr);
  const { text, config } = withoutClient(server, name);
  replaceText(file, server.text, text);
  shell.stderr(`Removed ${name} from ${file}\n`);
  await takeOver(config, shell);
}

function list(file: string, shell: Shell): void {
  const { config: { clients } } = openServer(file, shell.stderr);
  const width = Math.max(...clients.map(({ name }) => name.length));
  for (const { name, allowed } of clients) {
    const own = allowed.map((range) => range.isSingle ? `${range.toAddress()}` : `${range}`);
    shell.stdout(`${name.padEnd(width)}  ${own.join(", ") || "any address"}\n`);
  }
}

/** The address that `init` would take, for a file that has no `public_address`. */
async function findAddress(file: string): Promise<HostAndPort> {
  const { detectPlatform } = await import("../../platform/detect.ts");
  const { ownAddresses } = await import("../setup/host_facts.ts");
  const best = ownAddresses(detectPlatform().survey()).find(({ family }) => family === 4);
  if (best) return { host: best, port: undefined };
  throw new AggvpnError(`Where does the client reach this server? ${file} has no public_address`, {
    hint: "Write it there, or give --address=HOST",
  });
}

/** Has the running server read its file again. */
async function takeOver({ control }: ServerConfig, shell: Shell): Promise<void> {
  if (!await isAlive(control)) {
    shell.stderr("The server does not run; it reads the file when it starts.\n");
    return;
  }
  try {
    await askReload(control);
    shell.stderr("The running server has taken it over.\n");
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    shell.stderr(`The running server has not taken it over, so restart it: ${error.message}\n`);
  }
}
