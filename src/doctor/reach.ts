/**
 * Why a link does not reach its server, as far as this end can tell.
 *
 * Nobody but a client with the right key gets an answer from a server, so a wrong password looks like
 * a firewall. What the network says of another port of the same host tells some of them apart.
 *
 * @module
 */

import type { LinkFacts, NameFacts } from "./facts.ts";
import { fault, type Finding, milliseconds, note, ok } from "./finding.ts";

/** What is known of the server's name, of the way to it, and of its answers. */
export function reachFindings(link: LinkFacts, anyUp: boolean): Finding[] {
  return [...link.names.map(nameFinding), ...wayFindings(link, anyUp)];
}

function nameFinding({ host, addresses, tookUs, problem }: NameFacts): Finding {
  if (problem === undefined) {
    return ok("name", `${host} is ${addresses.join(", ")} (${milliseconds(tookUs)})`);
  }
  return fault(
    "name",
    problem,
    `Correct the name, or this host's resolver; or write the server's address instead.`,
  );
}

function wayFindings(link: LinkFacts, anyUp: boolean): Finding[] {
  const { obstacle, socketProblem, isUp, server, unused, interface: name } = link;
  if (unused !== undefined) return [note("server", `it is not used: ${unused}`)];
  if (isUp) return [ok("server", `${server} answers`)];
  if (obstacle !== undefined) {
    const what = name === undefined ? "its interface and routes" : `"ip link" and ${name}`;
    return [fault("way", obstacle, `Plug it in or set it up, or correct the link: see ${what}.`)];
  }
  if (socketProblem) {
    const { message, hint = "See what else uses it, or correct the link." } = socketProblem;
    return [fault("way", message, hint)];
  }
  if (server === undefined) return [];
  return [...filterFinding(link), silence(link, server, anyUp)];
}

/** Only a link that does not work shows that the filter may matter. */
function filterFinding({ filter }: LinkFacts): Finding[] {
  return filter === undefined ? [] : [note("filter", filter.message, filter.hint)];
}

function silence(link: LinkFacts, server: string, anyUp: boolean): Finding {
  const port = server.slice(server.lastIndexOf(":") + 1);
  switch (link.port) {
    case "closed":
      return fault(
        "server",
        `${server} says that its port is closed`,
        `Start the server, or correct "port" of this link: "listen" of the server names them.`,
      );
    case "unreachable":
      return fault(
        "server",
        `a router says that nothing gets to ${server} by this link`,
        "Look at this link's router and its firewall, and at that of the server.",
      );
    case "denied":
      return fault(
        "server",
        `this host's own firewall lets nothing out to ${server} by this link`,
        `Let UDP to port ${port} out there: "nft list ruleset" or "pfctl -sr" shows the rule.`,
      );
    case "answered":
      return fault(
        "server",
        `something answers at ${server}, but it is no aggvpn`,
        `Correct "server" or "port" of this link.`,
      );
    default:
      return silent(link, server, port, anyUp);
  }
}

function silent(link: LinkFacts, server: string, port: string, anyUp: boolean): Finding {
  const portal = link.portal?.state === "captured" ? "Log in at the portal first." : undefined;
  if (anyUp) {
    return fault(
      "server",
      `nothing comes back from ${server} by this link, while other links work`,
      portal ?? `Something there drops UDP to port ${port}: try another port of the server, or ` +
          "--portal if one has to log in.",
    );
  }
  if (link.closedPort === "closed") {
    return fault(
      "server",
      `${server} is reached, but does not answer: probably its password is another`,
      `Use one password at both ends; the server's log says "no client is configured with its ` +
        `key" if it is that, else its firewall drops port ${port}.`,
    );
  }
  return fault(
    "server",
    `nothing at all comes back from ${server}`,
    portal ?? `Is the server up, and does a firewall drop UDP to port ${port}? Its log names ` +
        "clients whose password is another.",
  );
}
