import { assert, assertEquals } from "@std/assert";
import { DATA_NEEDS_CHECKSUM, DATA_RESENT } from "../../src/wire/data.ts";
import { LinkUpdate, parseLinkUpdate, readMtu, writeLinkUpdate } from "../../src/wire/frame.ts";
import type { LinkTier, Tier } from "../../src/wire/handshake.ts";
import { limitReach, parseReport, Report } from "../../src/wire/report.ts";
import vectors from "../vectors/frames.json" with { type: "json" };
import { close, data, linkUpdate, mtu, probe, probeAck, report } from "./frames.ts";

type Ranges = readonly (readonly [number, number])[];

function rangesOf(report: Report): number[][] {
  return Array.from({ length: report.rangeCount }, (_, i) => [report.gaps[i]!, report.runs[i]!]);
}

Deno.test("the frames of docs/protocol.md are what is written", () => {
  const { kind, flow, flow_sequence, global_sequence, send_time, header } = vectors.data;
  const frame = data(new Uint8Array(), {
    kind: kind | (vectors.data.resent ? DATA_RESENT : 0),
    flow,
    sequence: flow_sequence,
    global: global_sequence,
    sentAtUs: send_time,
  });
  assertEquals(frame.toHex(), header);
  const missing = vectors.data_needs_checksum;
  const bare = data(new Uint8Array(), {
    kind: missing.kind | DATA_NEEDS_CHECKSUM,
    flow: missing.flow,
    sequence: missing.flow_sequence,
    global: missing.global_sequence,
    sentAtUs: missing.send_time,
  });
  assertEquals(bare.toHex(), missing.header);
  assertEquals(probe(vectors.probe.number, vectors.probe.send_time).toHex(), vectors.probe.frame);
  const { number, send_time: sentAtUs, frame: ack } = vectors.probe_ack;
  assertEquals(probeAck(number, sentAtUs).toHex(), ack);
  assertEquals(close(vectors.close.reason).toHex(), vectors.close.frame);
  const { link_id, tier, metered, frame: update } = vectors.link;
  assertEquals(linkUpdate(link_id, tier as Tier, metered).toHex(), update);
  assertEquals(mtu(vectors.mtu.size).toHex(), vectors.mtu.frame);
  assertEquals(readMtu(Uint8Array.fromHex(vectors.mtu.frame), 3), vectors.mtu.size);
  const { fields, ranges } = vectors.report;
  assertEquals(
    report({ ...fields, ranges: ranges as unknown as Ranges }).toHex(),
    vectors.report.frame,
  );
});

Deno.test("parseReport() reads the REPORT of docs/protocol.md", () => {
  const bytes = Uint8Array.fromHex(vectors.report.frame);
  const read = new Report();
  assert(parseReport(bytes, 3, bytes.length - 3, read));
  const { runs: _runs, gaps: _gaps, rangeCount: _count, ...fields } = read;
  assertEquals(fields, vectors.report.fields);
  assertEquals(rangesOf(read), vectors.report.ranges);
});

Deno.test("parseLinkUpdate() reads the LINKs of docs/protocol.md", () => {
  for (
    const vector of [
      { ...vectors.link, name: "" },
      { ...vectors.last_link, name: "" },
      vectors.spare_link,
    ]
  ) {
    const { link_id: linkId, tier, metered, name, frame } = vector;
    const bytes = Uint8Array.fromHex(frame);
    const read = new LinkUpdate();
    assert(parseLinkUpdate(bytes, 3, bytes.length - 3, read));
    assertEquals({ ...read }, { linkId, tier: tier as LinkTier, metered, gone: false, name });
    const written = new Uint8Array(bytes.length);
    assertEquals(writeLinkUpdate(written, 0, read), bytes.length);
    assertEquals(written, bytes);
  }
});

Deno.test("limitReach() cuts off a report after 1024 counters", () => {
  for (const { ranges, read_as } of vectors.beyond_reach) {
    const bytes = report({ ranges: ranges as unknown as Ranges });
    const read = new Report();
    assert(parseReport(bytes, 3, bytes.length - 3, read));
    limitReach(read);
    assertEquals(rangesOf(read), read_as);
  }
});
