import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isSessionUp, statusText as textOf } from "../../src/cli/status_text.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus, PeerStatus } from "../../src/tunnel/options.ts";
import { document, DSL, LTE } from "./status_documents.ts";

/** The text, without colours, on a terminal of `columns`. */
function statusText(status: StatusDocument, columns = 80): string {
  return textOf(status, { color: false, columns });
}

Deno.test("statusText() says what a server waits for", () => {
  const { daemon, tunnel, version } = document([]);
  const sockets = [
    { name: "192.0.2.1:5080", local: "", receiveDrops: 0, reason: "Cannot bind to 192.0.2.1" },
    { name: "192.0.2.2:5080", local: "192.0.2.2:5080", receiveDrops: 0 },
  ];
  const linesFor = (role: "client" | "server"): string[] =>
    statusText({ version, daemon: { ...daemon, sockets }, tunnel: { ...tunnel, role } })
      .split("\n").filter((line) => line.includes("waits"));
  assertEquals(linesFor("server"), ["listen  192.0.2.1:5080 waits: Cannot bind to 192.0.2.1"]);
  assertEquals(linesFor("client"), []);
});

const BOTH = document([DSL, LTE], { replay: 3, "bad-tag": 0 });

Deno.test("statusText() shows the tunnel, its links, why one is not used, and the drops", () => {
  assertEquals(
    statusText(BOTH),
    `\
home: client on agg0, 10.7.0.2/30, fd00::2/64, MTU 1434, up 3 h 12 min, pid 812,
  57.2 MB

session with server at 192.0.2.1:5080 for 3 h 11 min, aes256gcm (libcrypto)
LINK  STATE  FOR   TIER      RTT     ±     LOSS   SEND   RECV  SHARE   RATE
                              ms    ms        %  bit/s  bit/s      %  bit/s
dsl   up     3h3m  primary  21.3  0.42  0.0/1.2  48.1M  1.21M    100  50.2M
lte   down   3m2s  backup      -     -  100/100      0      0      -      -
  dsl: from 192.0.2.7:40000 to 192.0.2.1:5080
  lte: no answer to probes, nothing heard for 1150 ms; last heard 3 min 3 s ago
  lte: to 192.0.2.1:5081
total  sends 48.1Mbit/s, receives 1.21Mbit/s, sent 871k packets, 1.19 GB,
       received 440k packets, 31.0 MB, queued 0, resent 12, lost for good 1,
       held for order 331 (p50 0.00 ms, p99 31.0 ms)

drops  replay 3, receive-buffer of dsl 12
`,
  );
});

Deno.test("statusText() shows the most important columns on a narrower terminal, or lines", () => {
  assertEquals(
    statusText(BOTH, 60),
    `\
home: client on agg0, 10.7.0.2/30, fd00::2/64, MTU 1434, up
  3 h 12 min, pid 812, 57.2 MB

session with server at 192.0.2.1:5080 for 3 h 11 min,
  aes256gcm (libcrypto)
LINK  STATE  FOR   TIER      RTT     LOSS   SEND   RECV
                              ms        %  bit/s  bit/s
dsl   up     3h3m  primary  21.3  0.0/1.2  48.1M  1.21M
lte   down   3m2s  backup      -  100/100      0      0
  dsl: from 192.0.2.7:40000 to 192.0.2.1:5080
  lte: no answer to probes, nothing heard for 1150 ms; last
    heard 3 min 3 s ago
  lte: to 192.0.2.1:5081
total  sends 48.1Mbit/s, receives 1.21Mbit/s, sent 871k
       packets, 1.19 GB, received 440k packets, 31.0 MB,
       queued 0, resent 12, lost for good 1, held for order
       331 (p50 0.00 ms, p99 31.0 ms)

drops  replay 3, receive-buffer of dsl 12
`,
  );
  assertEquals(
    statusText(BOTH, 40),
    `\
home: client on agg0, 10.7.0.2/30,
  fd00::2/64, MTU 1434, up 3 h 12 min,
  pid 812, 57.2 MB

session with server at 192.0.2.1:5080
  for 3 h 11 min, aes256gcm (libcrypto)
LINK STATE FOR   RTT    LOSS  SEND  RECV
                  ms       % bit/s bit/s
dsl  up    3h3m 21.3 0.0/1.2 48.1M 1.21M
lte  down  3m2s    - 100/100     0     0
  dsl: from 192.0.2.7:40000 to
    192.0.2.1:5080
  lte: no answer to probes, nothing
    heard for 1150 ms; last heard 3 min
    3 s ago
  lte: to 192.0.2.1:5081
total  sends 48.1Mbit/s, receives
       1.21Mbit/s, sent 871k packets,
       1.19 GB, received 440k packets,
       31.0 MB, queued 0, resent 12,
       lost for good 1, held for order
       331 (p50 0.00 ms, p99 31.0 ms)

drops  replay 3, receive-buffer of dsl
       12
`,
  );
});

Deno.test("statusText() shows everything on a wide terminal", () => {
  assertEquals(
    statusText(BOTH, 200),
    `\
home: client on agg0, 10.7.0.2/30, fd00::2/64, MTU 1434, up 3 h 12 min, pid 812, 57.2 MB

session with server at 192.0.2.1:5080 for 3 h 11 min, aes256gcm (libcrypto)
LINK  STATE  FOR   TIER      RTT     ±  SKEW     LOSS  LEFT   SEND   RECV  SHARE   RATE   MTU   SENT   RCVD
                              ms    ms    ms        %     %  bit/s  bit/s      %  bit/s     B      B      B
dsl   up     3h3m  primary  21.3  0.42  0.00  0.0/1.2   0.0  48.1M  1.21M    100  50.2M  1500  1.21G  33.4M
lte   down   3m2s  backup      -     -     -  100/100   0.0      0      0      -      -  1500    812      0
  dsl: from 192.0.2.7:40000 to 192.0.2.1:5080
  lte: no answer to probes, nothing heard for 1150 ms; last heard 3 min 3 s ago
  lte: to 192.0.2.1:5081
total  sends 48.1Mbit/s, receives 1.21Mbit/s, sent 871k packets, 1.19 GB, received 440k packets,
       31.0 MB, queued 0, resent 12, lost for good 1, held for order 331 (p50 0.00 ms, p99 31.0 ms)

drops  replay 3, receive-buffer of dsl 12
`,
  );
});

Deno.test("statusText() says what commands have changed", () => {
  const { daemon, ...status } = document([DSL]);
  const text = statusText({ ...status, daemon: { ...daemon, changes: ["link dsl: off"] } });
  assertEquals(text.split("\n")[2], "  changed by a command: link dsl: off");
});

Deno.test("statusText() tells of duplicates when there are any", () => {
  const status = document([DSL]);
  const peer = { ...status.tunnel.peers[0]!, duplicatedPackets: 4_310 };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } });
  assert(text.includes("lost for good 1,\n       duplicated 4.31k, held for order 331"), text);
});

Deno.test("statusText() says where the hosts are that use one key", () => {
  const status = document([DSL]);
  const conflict = "now 192.0.2.7:4000, before 198.51.100.3:5000";
  const peer = { ...status.tunnel.peers[0]!, conflict };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } });
  assertEquals(
    text.split("\n")[4],
    "  another host uses its key: now 192.0.2.7:4000, before 198.51.100.3:5000",
  );
});

Deno.test("statusText() says why another server than the first is used", () => {
  const status = document([DSL]);
  const peer = {
    ...status.tunnel.peers[0]!,
    name: "b.example",
    serverReason: "a.example does not answer",
  };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } });
  assertEquals(text.split("\n").slice(3, 5), [
    "session with b.example at 192.0.2.1:5080 for 3 h 11 min, aes256gcm (libcrypto)",
    "  used because a.example does not answer",
  ]);
});

Deno.test("statusText() says what is metered, and how much of a quota is used", () => {
  const quota = { quotaBytes: 50e9, quotaUsedBytes: 50.12e9, quotaEnds: "2026-12-01" };
  const links: LinkStatus[] = [
    { ...DSL, metered: true },
    { ...DSL, name: "cable", quotaBytes: 1e12, quotaUsedBytes: 0, quotaEnds: "2026-12-15" },
    {
      ...DSL,
      name: "lte",
      tier: "backup",
      metered: true,
      reason: "quota of 50 GB is used up: last of all until 1 December",
      ...quota,
    },
  ];
  const text = statusText(document(links));
  assertEquals(text.split("\n").filter((line) => / {2}\w+: .*(metered|used)/.test(line)), [
    "  dsl: metered",
    "  cable: 0 B of 1.00 TB used until 15 December",
    "  lte: quota of 50 GB is used up: last of all until 1 December",
    "  lte: metered, 50.1 GB of 50.0 GB used until 1 December",
  ]);
});

Deno.test("statusText() colours states and headings only when told to", () => {
  const text = textOf(document([DSL, LTE]), { color: true, columns: 80 });
  assert(text.includes("\x1b[1mLINK"));
  assert(text.includes("\x1b[32mup   \x1b[0m"));
  assert(text.includes("\x1b[31mdown \x1b[0m"));
  const plain = text.split("\x1b").map((part) => part.replace(/^\[\d+m/, "")).join("");
  assertEquals(plain, statusText(document([DSL, LTE])));
});

Deno.test("statusText() shows a tunnel without a session and without links", () => {
  const status = document([]);
  const peer = { ...status.tunnel.peers[0]!, state: "connecting" as const, cipher: "" };
  const textWith = (fields: Partial<PeerStatus>): string =>
    statusText({ ...status, tunnel: { ...status.tunnel, peers: [{ ...peer, ...fields }] } });
  assert(textWith({}).includes("\nno session with server yet\nno links\n"));
  const ended = textWith({ reason: "the peer has closed it", endedAgeUs: 9e6 });
  assert(ended.includes("\nno session with server for 9 s: the peer has closed it\n"), ended);
});

Deno.test("statusText() fits every terminal, whatever the numbers and names, and cuts nothing", () => {
  const number = fc.double({ min: 0, max: 1e15, noNaN: true });
  const link = fc.record({
    name: fc.string({ minLength: 1, maxLength: 40 }).map((name) => name.replaceAll(/\s/g, "_")),
    stateAgeUs: number,
    heardAgeUs: number,
    jitterUs: fc.double({ min: 0, max: 9.9e7, noNaN: true }),
    skewUs: fc.double({ min: 0, max: 9.9e7, noNaN: true }),
    residualLoss: fc.double({ min: 0, max: 1, noNaN: true }),
    state: fc.constantFrom<LinkStatus["state"]>("up", "down", "suspect", "connecting"),
    tier: fc.constantFrom("primary", "overflow", "backup"),
    reason: fc.constantFrom("", "a reason with many words ".repeat(6).trim()),
    srttUs: fc.double({ min: 0, max: 9.9e7, noNaN: true }),
    rttvarUs: fc.double({ min: 0, max: 9.9e7, noNaN: true }),
    sendLoss: fc.double({ min: 0, max: 1, noNaN: true }),
    receiveLoss: fc.double({ min: 0, max: 1, noNaN: true }),
    rateBps: number,
    sendBps: number,
    receiveBps: number,
    sentBytes: number,
    receivedBytes: number,
    metered: fc.boolean(),
    quotaBytes: number,
    quotaUsedBytes: number,
  });
  const columns = fc.integer({ min: 40, max: 200 });
  fc.assert(fc.property(fc.array(link, { maxLength: 5 }), columns, (links, columns) => {
    const text = statusText(document(links.map((fields) => ({ ...DSL, ...fields }))), columns);
    for (const line of text.split("\n")) {
      const isOneWord = /^ *\S+(?::)?(?: \S+)?$/.test(line);
      assert(isOneWord || [...line].length <= columns, line);
    }
    for (const { name } of links) assert(text.includes(name), name);
  }));
});

Deno.test("statusText() says what a link carries when that is less than was wanted", () => {
  const mtuReason = "carries 1492 bytes: 1500 were lost";
  const text = statusText(document([{ ...DSL, mtu: 1492, mtuReason }, { ...LTE, mtuReason }]));
  assertEquals(text.split("\n").filter((line) => line.includes("1492")), [`  dsl: ${mtuReason}`]);
});

Deno.test("isSessionUp() is true when a link of any peer works", () => {
  const states = (...states: readonly PeerStatus["state"][]): boolean => {
    const status = document([]);
    const [peer] = status.tunnel.peers;
    const peers = states.map((state) => ({ ...peer!, state }));
    return isSessionUp({ ...status, tunnel: { ...status.tunnel, peers } });
  };
  assertEquals([states(), states("down", "connecting"), states("down", "up")], [
    false,
    false,
    true,
  ]);
});

Deno.test("statusText() makes lines of links whose names leave no room for a table", () => {
  const name = "a-rather-long-name-of-a-link";
  const text = statusText(document([{ ...DSL, name }]), 40);
  const at = text.indexOf(name);
  assertEquals(
    text.slice(at, text.indexOf("  a-rather", at + 1)),
    `\
a-rather-long-name-of-a-link  up for
  3h3m, primary, RTT 21.3 ± 0.42 ms,
  loss 0.0/1.2 %, 0.0 % left, sends
  48.1Mbit/s, receives 1.21Mbit/s, 100 %
  of all, can send 50.2Mbit/s, MTU 1500
`,
  );
});
