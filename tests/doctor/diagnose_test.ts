import { assert, assertEquals, assertMatch } from "@std/assert";
import { diagnose } from "../../src/doctor/diagnose.ts";
import type { LinkFacts, PortState } from "../../src/doctor/facts.ts";
import { factsOf, GOOD_LINK, said } from "./facts.ts";

/** The only thing that is said of a link and is not all right. */
function complaint(link: Partial<LinkFacts>, anyUp = true): string {
  const bad = said(link, { anyUp }).filter((text) => !/^(?:ok|skipped)/.test(text));
  assertEquals(bad.length, 1, bad.join("\n"));
  return bad[0]!;
}

const { idle: IDLE } = GOOD_LINK;
const DOWN = { isUp: false, idle: undefined, mtuUp: undefined, seenAs: undefined } as unknown as
  & Partial<LinkFacts>
  & { isUp: false };

Deno.test("diagnose() says of a good link what it is", () => {
  assertEquals(said(), [
    "ok server: 203.0.113.1:5080 answers",
    "ok delay: 20 ms, jitter 0.4 ms",
    "ok loss: 0 % up, 0 % down of 390 probes",
    "ok size: packets of 1500 bytes up, 1500 down",
    "ok nat: 192.168.1.2:40000 becomes 198.51.100.7:40000, the port is kept",
  ]);
  assertEquals(diagnose(factsOf()).faults, 0);
});

Deno.test("diagnose() advises about each way not to reach the server", () => {
  const expected: readonly (readonly [PortState, RegExp])[] = [
    ["closed", /^fault server: .* says that its port is closed -> Start the server/],
    ["unreachable", /^fault server: a router says .* -> Look at this link's router/],
    ["denied", /^fault server: this host's own firewall .* -> Let UDP to port 5080 out there/],
    ["answered", /^fault server: something answers .* no aggvpn -> Correct "server" or "port"/],
    ["silent", /^fault server: nothing comes back .* while other links work -> Something there/],
  ];
  for (const [port, text] of expected) assertMatch(complaint({ ...DOWN, port }), text);
});

Deno.test("diagnose() tells a wrong password from silence by a closed port that speaks", () => {
  const silent = { ...DOWN, port: "silent" } as const;
  assertMatch(
    complaint({ ...silent, closedPort: "closed" }, false),
    /probably its password is another -> Use one password at both ends/,
  );
  assertMatch(complaint({ ...silent, closedPort: "silent" }, false), /nothing at all comes back/);
  assertMatch(complaint({ ...silent, closedPort: "closed" }, true), /while other links work/);
});

Deno.test("diagnose() advises about names, ways, sockets and filters", () => {
  assertMatch(
    complaint({ obstacle: "wwan0 does not exist", ...DOWN }),
    /^fault way: wwan0 does not exist -> Plug it in/,
  );
  const socketProblem = { message: "Cannot bind to 192.0.2.9:0", hint: "No interface has it." };
  assertEquals(
    complaint({ socketProblem, ...DOWN }),
    "fault way: Cannot bind to 192.0.2.9:0 -> No interface has it.",
  );
  const names = [{ host: "a.example", addresses: [], tookUs: 9, problem: "Cannot resolve it" }];
  const { server: _server, ...nowhere } = GOOD_LINK;
  const facts = { ...factsOf(), links: [{ ...nowhere, ...DOWN, names }] };
  const { findings } = diagnose(facts).links[0]!;
  assertEquals(findings.map(({ check, verdict }) => `${verdict} ${check}`), ["fault name"]);
  const filter = { message: "strict reverse-path filter", hint: "Set rp_filter=2." };
  const filtered = said({ ...DOWN, port: "silent", filter });
  assert(filtered.includes("note filter: strict reverse-path filter -> Set rp_filter=2."));
  assertEquals(said({ filter }), said(), "a link that works needs none");
});

Deno.test("diagnose() takes a link that is switched off for no fault", () => {
  assertMatch(
    complaint({ ...DOWN, unused: "switched off for 2 h" }),
    /^note server: it is not used/,
  );
  assertEquals(diagnose(factsOf({ ...DOWN, unused: "switched off" })).faults, 0);
});

Deno.test("diagnose() advises about losses, and not to trust them beside traffic", () => {
  const idle = { ...IDLE!, lossUp: 0.012, lossDown: 0.004, isLossy: true };
  assertMatch(
    complaint({ idle }),
    /^fault loss: 1.2 % up, 0.4 % down of 390 probes -> Look at cab/,
  );
  assertMatch(
    complaint({ idle: { ...idle, isBusy: true } }),
    /beside the tunnel's .* -> Try again/,
  );
});

Deno.test("diagnose() advises about sizes", () => {
  assertMatch(
    complaint({ mtuUp: 1492, mtuDown: 1500 }),
    /^note size: .*1492 .* -> Usual for PPPoE/,
  );
  assertMatch(complaint({ mtuUp: 1500, mtuDown: 1200 }), /^fault size: .* -> IPv6 needs 1280/);
  assertEquals(said({ mtuDown: 0 }).filter((text) => text.includes("size")), []);
});

Deno.test("diagnose() grades what a load adds to the round trip", () => {
  const grade = (rttMs: number): string => {
    const load = { bps: 48.1e6, rttUs: rttMs * 1000 + IDLE!.rttUs, loss: 0 };
    return said({ up: load }).find((text) => text.includes("upload"))!;
  };
  assertMatch(grade(5), /^ok upload: 48.1 Mbit\/s; .* takes 5.0 ms more: grade A$/);
  assertMatch(grade(45), /^ok .* grade B$/);
  assertMatch(grade(150), /^ok .* grade C$/);
  assertMatch(grade(300), /^fault .* grade D -> Switch on SQM/);
  assertMatch(grade(900), /^fault .* grade F -> Switch on SQM/);
  assertMatch(grade(-5), /takes 0.0 ms more: grade A$/);
  const old = said({ down: { bps: 0, rttUs: 0, loss: 0, problem: "the server runs an older" } });
  assert(old.includes("skipped download: the server runs an older"), `${old}`);
  assert(said({ notFilled: "it costs" }).includes("skipped load: it costs"));
});

Deno.test("diagnose() says what a NAT does", () => {
  const nat = (local: string, seenAs: string): string =>
    said({ local, seenAs }).find((text) => text.includes("nat"))!;
  assertEquals(
    nat("192.0.2.7:4000", "192.0.2.7:4000"),
    "ok nat: none: the server sees 192.0.2.7:4000 too",
  );
  assertMatch(nat("10.0.0.2:4000", "192.0.2.7:999"), /becomes 192.0.2.7:999, the port changes$/);
  assertMatch(nat("100.70.0.2:4000", "192.0.2.7:4000"), /^ok nat: carrier-grade NAT: 100.70.0.2/);
  assertMatch(
    nat("0.0.0.0:4000", "192.0.2.7:4000"),
    /the server sees 192.0.2.7:4000, the port is kept/,
  );
  const silence = (mapping: LinkFacts["mapping"]): string =>
    said({ mapping: mapping! }).find((text) => text.includes("silence"))!;
  assertMatch(silence({ livesS: 60 }), /^ok silence: .* still gets through after 60 s/);
  assertMatch(silence({ livesS: 15, endsS: 30 }), /^ok silence: .* after 15 s .*, not after 30 s$/);
  assertMatch(silence({ livesS: 0, endsS: 15 }), /^note silence: .* -> The heartbeats/);
  assertMatch(silence({ livesS: 0, problem: "it runs" }), /^skipped silence: it runs$/);
});

Deno.test("diagnose() advises about portals and the clock", () => {
  const by = "302, http://login.example/";
  assertMatch(
    complaint({ portal: { state: "captured", by } }),
    /^fault portal: a captive portal answers: 302, .* -> Log in there/,
  );
  assert(said({ portal: { state: "open" } }).includes("ok portal: none"));
  const host = (clock?: "free"): string[] =>
    diagnose({ ...factsOf(), ...clock && { clock } }).host.map(({ verdict }) => verdict);
  assertEquals([host(), host("free")], [["ok"], ["note"]]);
});
