/**
 * The documented grammar of the commands that only look: ifconfig(8), route(8), pfctl(8),
 * sysctl(8), netstat(1) and getent(1) of OpenBSD, as far as this program uses them.
 *
 * @module
 */

const TABLE = "(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])";

const QUERIES: readonly RegExp[] = [
  // A name, or the letters before the number, which are a group.
  /^ifconfig(?: [a-z]+\d*(?: inet6?)?)?$/,
  // `route [-dnqtv] [-T rtable] show [family]`
  new RegExp(`^route -n -T ${TABLE} show -inet6?$`),
  // `route [-T rtable] exec command [arg ...]`, `getent database [key ...]`
  new RegExp(`^route -T ${TABLE} exec getent hosts [^-\\s]\\S*$`),
  /^pfctl -s (?:info|rules)$/,
  // `pfctl [-q] [-a anchor] [-s modifier]`
  /^pfctl -q -a aggvpn\/[\w-]+ -s rules$/,
  /^sysctl -n net\.(?:inet\.ip|inet6\.ip6)\.forwarding$/,
  /^netstat -R$/,
  /^mount$/,
  // `pgrep [-x] pattern`
  /^pgrep -x resolvd$/,
  /^cat \/etc\/resolv\.conf$/,
  /^sh -c ulimit -n$/,
];

/** Throws at any other command. */
export function checkQuery(command: readonly string[]): void {
  const line = command.join(" ");
  if (!QUERIES.some((query) => query.test(line))) throw new Error(`No query: ${line}`);
}
