import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { duration, milliseconds, scaled, statusText } from "../../src/cli/status_table.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";
import type { LinkStatus } from "../../src/tunnel/options.ts";

const DSL: LinkStatus = {
  name: "dsl",
  id: 0,
  state: "up",
  reason: "",
  tier: "primary",
  metered: false,
  mtu: 1500,
  remoteMtu: 1500,
  remote: "192.0.2.1:5080",
  srttUs: 21_340,
  rttvarUs: 420,
  sendLoss: 0,
  receiveLoss: 0.0123,
  rateBps: 50.2e6,
  sendBps: 48.1e6,
  receiveBps: 1.214e6,
  sentBytes: 1.21e9,
  receivedBytes: 33.4e6,
  sentDatagrams: 900_000,
  receivedDatagrams: 450_000,
  inFlightBytes: 120_000,
};
const LTE: LinkStatus = {
  ...DSL,
  name: "lte",
  id: 1,
  state: "down",
  reason: "no answer for 3.1 s",
  tier: "backup",
  srttUs: 0,
  rttvarUs: 0,
  sendLoss: 1,
  receiveLoss: 1,
  rateBps: 0,
  sendBps: 0,
  receiveBps: 0,
  sentBytes: 812,
  receivedBytes: 0,
};

function document(
  links: readonly LinkStatus[],
  drops: Record<string, number> = {},
): StatusDocument {
  return {
    version: 1,
    daemon: {
      name: "home",
      pid: 812,
      uptimeUs: 11_540e6,
      rssBytes: 57.2e6,
      interface: "agg0",
      offload: "checksum, TSO",
      tunDrops: 0,
      tunOversize: 0,
      tunMalformed: 0,
      sockets: [{ name: "dsl", local: "192.0.2.7:40000", receiveDrops: 12 }],
    },
    tunnel: {
      role: "client",
      mtu: 1434,
      aead: "libcrypto",
      drops,
      peers: [{
        name: "server",
        state: "up",
        cipher: "aes256gcm",
        sessionAgeUs: 41e6,
        links,
        sentPackets: 871_200,
        sentBytes: 1.19e9,
        receivedPackets: 440_120,
        receivedBytes: 31e6,
        queuedPackets: 0,
        resentPackets: 12,
        duplicatedPackets: 0,
        heldPackets: 331,
        holdP50Us: 0,
        holdP99Us: 31_000,
      }],
    },
  };
}

Deno.test("statusText() says what a server waits for", () => {
  const { daemon, tunnel, version } = document([]);
  const sockets = [
    { name: "192.0.2.1:5080", local: "", receiveDrops: 0, reason: "Cannot bind to 192.0.2.1" },
    { name: "192.0.2.2:5080", local: "192.0.2.2:5080", receiveDrops: 0 },
  ];
  const linesFor = (role: "client" | "server"): string[] =>
    statusText({ version, daemon: { ...daemon, sockets }, tunnel: { ...tunnel, role } }, false)
      .split("\n").filter((line) => line.includes("waits"));
  assertEquals(linesFor("server"), ["listen  192.0.2.1:5080 waits: Cannot bind to 192.0.2.1"]);
  assertEquals(linesFor("client"), []);
});

Deno.test("statusText() shows the tunnel, its links, why one is not used, and the drops", () => {
  assertEquals(
    statusText(document([DSL, LTE], { replay: 3, "bad-tag": 0 }), false),
    `\
home  agg0  client  mtu 1434  up 3 h 12 min  pid 812  57.2MB

server  up 41 s  aes256gcm (libcrypto)
LINK  STATE  TIER      RTT     ±     LOSS   SEND   RECV   RATE   SENT   RCVD
                        ms    ms        %  bit/s  bit/s  bit/s      B      B
dsl   up     primary  21.3  0.42  0.0/1.2  48.1M  1.21M  50.2M  1.21G  33.4M
lte   down   backup      -     -  100/100      0      0      -    812      0
  lte: no answer for 3.1 s
total  sent 871k packets 1.19GB, received 440k packets 31.0MB
       queued 0, resent 12, held for order 331 (p50 0.00 ms, p99 31.0 ms)

drops  replay 3, receive-buffer of dsl 12
`,
  );
});

Deno.test("statusText() tells of duplicates when there are any", () => {
  const status = document([DSL]);
  const peer = { ...status.tunnel.peers[0]!, duplicatedPackets: 4_310 };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } }, false);
  assert(text.includes("\n       queued 0, resent 12, duplicated 4.31k, held for order 331"), text);
});

Deno.test("statusText() says where the hosts are that use one key", () => {
  const status = document([DSL]);
  const conflict = "now 192.0.2.7:4000, before 198.51.100.3:5000";
  const peer = { ...status.tunnel.peers[0]!, conflict };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } }, false);
  assertEquals(
    text.split("\n")[3],
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
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } }, false);
  assertEquals(text.split("\n").slice(2, 4), [
    "b.example  up 41 s  aes256gcm (libcrypto)",
    "  used because a.example does not answer",
  ]);
});

Deno.test("statusText() says what is metered, and how much of a quota is used", () => {
  const quota = { quotaBytes: 50e9, quotaUsedBytes: 50.12e9 };
  const links: LinkStatus[] = [
    { ...DSL, metered: true },
    { ...DSL, name: "cable", quotaBytes: 1e12, quotaUsedBytes: 0 },
    {
      ...DSL,
      name: "lte",
      tier: "backup",
      metered: true,
      reason: "quota of 50 GB is used up: backup until 1 December",
      ...quota,
    },
  ];
  const text = statusText(document(links), false);
  assertEquals(text.split("\n").filter((line) => line.startsWith("  ")).slice(1, -1), [
    "  dsl: metered",
    "  cable: 0B of 1.00TB used this month",
    "  lte: quota of 50 GB is used up: backup until 1 December",
    "  lte: metered, 50.1GB of 50.0GB used this month",
  ]);
});

Deno.test("statusText() colours states and headings only when told to", () => {
  const text = statusText(document([DSL, LTE]), true);
  assert(text.includes("\x1b[1mLINK"));
  assert(text.includes("\x1b[32mup   \x1b[0m"));
  assert(text.includes("\x1b[31mdown \x1b[0m"));
  const plain = text.split("\x1b").map((part) => part.replace(/^\[\d+m/, "")).join("");
  assertEquals(plain, statusText(document([DSL, LTE]), false));
});

Deno.test("statusText() shows a tunnel without a session and without links", () => {
  const status = document([]);
  const peer = { ...status.tunnel.peers[0]!, state: "connecting" as const };
  const text = statusText({ ...status, tunnel: { ...status.tunnel, peers: [peer] } }, false);
  assert(text.includes("\nserver  connecting\nno links\n"));
});

Deno.test("statusText() fits 80 columns, whatever the numbers and names", () => {
  const number = fc.double({ min: 0, max: 1e15, noNaN: true });
  const link = fc.record({
    name: fc.string({ minLength: 1, maxLength: 40 }).map((name) => name.replaceAll(/\s/g, "_")),
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
  fc.assert(fc.property(fc.array(link, { maxLength: 5 }), (links) => {
    const text = statusText(document(links.map((fields) => ({ ...DSL, ...fields }))), false);
    for (const line of text.split("\n")) {
      if (!/^ {2}\S/.test(line)) assert([...line].length <= 80, line);
    }
  }));
});

Deno.test("scaled() keeps three digits and never shows 1000", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [999, "999"],
    [999.6, "1.00k"],
    [1214, "1.21k"],
    [99_960, "100k"],
    [999_600, "1.00M"],
    [48.1e6, "48.1M"],
    [1e18, "1000P"],
    [NaN, "-"],
    [Infinity, "-"],
  ];
  for (const [value, text] of cases) assertEquals(scaled(value), text);
});

Deno.test("milliseconds() and duration() write times as people read them", () => {
  assertEquals([420, 9994, 21_340, 250_000].map(milliseconds), ["0.42", "9.99", "21.3", "250"]);
  assertEquals(
    [0, 41e6, 60e6, 182e6, 11_540e6, 86_400e6, 1e12].map(duration),
    ["0 s", "41 s", "1 min", "3 min 2 s", "3 h 12 min", "1 d", "11 d 13 h"],
  );
});

Deno.test("statusText() says what a link carries when that is less than was wanted", () => {
  const mtuReason = "carries 1492 bytes: 1500 were lost";
  const text = statusText(
    document([{ ...DSL, mtu: 1492, mtuReason }, { ...LTE, mtuReason }]),
    false,
  );
  assertEquals(text.split("\n").filter((line) => line.includes("1492")), [`  dsl: ${mtuReason}`]);
});
