import { assertEquals, assertThrows } from "@std/assert";
import { AggvpnError } from "../../../src/errors.ts";
import { dnsChanges, type DnsHost } from "../../../src/platform/linux/dns.ts";
import { changeLine, commandLine } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";

const ALL = { interface: "agg0", routes: [{ destination: prefix("0.0.0.0/0") }] };
const SOME = { interface: "agg0", routes: [{ destination: prefix("10.0.0.0/8") }] };
const DNS = [address("10.0.0.1"), address("2001:db8::53")];

function shown(plan: Parameters<typeof dnsChanges>[0], host: DnsHost): string[] {
  return dnsChanges(plan, host).flatMap((change) => [
    `+ ${changeLine(change)}`,
    ...change.undo ? [`- ${commandLine(change.undo)}`] : [],
  ]);
}

Deno.test("dnsChanges() tells resolved, with every domain when the tunnel carries everything", () => {
  const host = { keeper: "resolvectl" } as const;
  const servers = [
    "+ resolvectl dns agg0 10.0.0.1 2001:db8::53",
    "- resolvectl revert agg0",
  ];
  assertEquals(shown({ ...SOME, dns: DNS }, host), servers);
  assertEquals(shown({ ...ALL, dns: DNS }, host), [
    ...servers,
    "+ resolvectl domain agg0 '~.'",
  ]);
  const [dns, domain] = dnsChanges({ ...ALL, dns: DNS }, host);
  const sees = (text: string): boolean => dns!.look!.shows.test(text);
  assertEquals(sees("Link 7 (agg0): 10.0.0.1 2001:db8::53\n"), true);
  assertEquals(sees("Link 7 (agg0): 10.0.0.10 2001:db8::53\n"), false);
  assertEquals(sees("Link 7 (agg0):\n"), false);
  assertEquals(domain!.look!.shows.test("Link 7 (agg0): ~.\n"), true);
});

Deno.test("dnsChanges() tells resolvconf, by a name that Debian's prefers", () => {
  const input = "printf '%s\\n' 'nameserver 10.0.0.1' 'nameserver 2001:db8::53'";
  assertEquals(shown({ ...ALL, dns: DNS }, { keeper: "resolvconf", prefix: "tun." }), [
    `+ ${input} | resolvconf -a tun.agg0 -m 0 -x`,
    "- resolvconf -d tun.agg0 -f",
  ]);
  assertEquals(shown({ ...SOME, dns: DNS }, { keeper: "resolvconf", prefix: "" }), [
    `+ ${input} | resolvconf -a agg0 -m 0`,
    "- resolvconf -d agg0 -f",
  ]);
});

Deno.test("dnsChanges() leaves alone what another program keeps, and everything without servers", () => {
  const target = "/run/keeper/resolv.conf";
  const host = { keeper: "file", file: { target, hasCopy: false } } as const;
  const error = assertThrows(() => dnsChanges({ ...ALL, dns: DNS }, host), AggvpnError, target);
  assertEquals(error.hint?.includes("openresolv"), true);
  assertEquals(dnsChanges({ ...ALL, dns: [] }, host), []);
});
