/**
 * What `aggvpn init` writes: from flags, what the host has, and answers.
 *
 * @module
 */

import { type Address, parseAddress, type Prefix } from "../../address.ts";
import type { HostAndPort } from "../../config/host_port.ts";
import { formatKey, KEY_BYTES } from "../../config/secret.ts";
import { AggvpnError, UsageError } from "../../errors.ts";
import type { HostSurvey } from "../../platform/platform.ts";
import type { Invitation, InvitedFamily } from "../../setup/invitation.ts";
import { chooseNetwork, hostOf, RANDOM_BYTES } from "../../setup/networks.ts";
import type { ServerFile } from "../../setup/new_files.ts";
import type { Arguments } from "../command.ts";
import type { Dialog } from "./dialog.ts";
import { checkHost, checkName, checkNetwork, checkPort, flagValue } from "./flag_values.ts";
import { freeInterface, ownAddresses } from "./host_facts.ts";

/** The port that is proposed, and how many after it are tried. */
const FIRST_PORT = 5080;
const TRIED_PORTS = 20;
/** Host numbers in the tunnel. */
const SERVER_HOST = 1;
const CLIENT_HOST = 2;

/** What the plan is made from besides flags and answers. */
export interface ServerHost {
  readonly os: string;
  readonly survey: HostSurvey;
  /** Whether nothing listens on a UDP port yet. */
  readonly isFree: (port: number) => boolean;
}

/** The file of a new server, and what its first client is told. */
export interface ServerPlan {
  readonly file: ServerFile;
  readonly invitation: Invitation;
  /** Whether a router has to forward the port. */
  readonly isBehindNat: boolean;
}

/** Asks what flags do not say. Throws UsageError for flags that are wrong. */
export function planServer(host: ServerHost, args: Arguments, dialog: Dialog): ServerPlan {
  const own = ownAddresses(host.survey);
  const asked = flagValue(args, "address", checkHost) ?? askAddress(own, dialog);
  const port = flagValue(args, "port", checkPort) ?? asked.port ?? askPort(host, dialog);
  const publicAddress = { host: asked.host, port: asked.port ?? port };
  const name = flagValue(args, "client", checkName) ??
    dialog.ask("Name of the first client", "home", checkName, "--client=NAME");
  const networks = chooseNetworks(host.survey, args);
  const families = networks.map((network): InvitedFamily => ({
    address: hostOf(network, CLIENT_HOST),
    gateway: hostOf(network, SERVER_HOST).toAddress(),
  }));
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return {
    isBehindNat: isElsewhere(asked.host, own, host.survey),
    invitation: { name, key, servers: [publicAddress], families },
    file: {
      publicAddress,
      listen: listenOn(host.survey, port),
      interface: freeInterface(host.os, host.survey),
      addresses: networks.map((network) => hostOf(network, SERVER_HOST)),
      nat: args.flags["no-nat"] !== true,
      client: { name, password: formatKey(key), families },
    },
  };
}

/** Whether a router has the address: a name is that of this host if it has any public address. */
function isElsewhere(
  host: Address | string,
  own: readonly Address[],
  { addresses }: HostSurvey,
): boolean {
  if (typeof host === "string") return own.length === 0;
  return !addresses.some(({ address }) => address.toAddress().equals(host));
}

function askAddress(own: readonly Address[], dialog: Dialog): HostAndPort {
  const [best] = own;
  // A client may have no IPv6, so such an address is not taken without asking.
  const found = best?.family === 4 || dialog.isInteractive ? best : undefined;
  if (!found && !dialog.isInteractive) {
    throw new UsageError(
      "This host has no public IPv4 address: it is behind NAT, or has IPv6 only",
      {
        hint:
          `Give --address=HOST: a name, or the address of the router, which has to forward the UDP port${
            best ? `; or --address=${best}` : ""
          }`,
      },
    );
  }
  const question = found
    ? "Address of this server, as clients reach it"
    : "This host has no public address. Address or name of its router";
  return dialog.ask(question, found && `${found}`, checkHost, "--address=HOST");
}

function askPort({ isFree }: ServerHost, dialog: Dialog): number {
  let port = FIRST_PORT;
  while (port < FIRST_PORT + TRIED_PORTS && !isFree(port)) port++;
  return dialog.ask("UDP port", `${port}`, checkPort, "--port=PORT");
}

function chooseNetworks({ addresses, routes }: HostSurvey, args: Arguments): Prefix[] {
  const used = [...addresses.map(({ address }) => address), ...routes];
  return ([4, 6] as const).map((family) => {
    const flag = family === 4 ? "network" : "network6";
    const given = flagValue(args, flag, (text) => checkNetwork(text, family));
    const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
    const network = given ?? chooseNetwork(family, used, random);
    if (network) return network.toNetwork();
    throw new AggvpnError("Every network of 10.0.0.0/8 is in use here", {
      hint: `Give --${flag}=NETWORK`,
    });
  });
}

/** On every address: a public one may change, and a host behind NAT has another. */
function listenOn({ addresses }: HostSurvey, port: number): ServerFile["listen"] {
  const hasSixth = addresses.some(({ address }) => {
    const own = address.toAddress();
    return own.family === 6 && own.isOfHost && !own.isLinkLocal;
  });
  return ["0.0.0.0", ...hasSixth ? ["::"] : []].map((host) => ({
    host: parseAddress(host)!,
    port,
  }));
}
