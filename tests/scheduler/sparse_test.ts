import { assertEquals } from "@std/assert";
import { SparseFlows } from "../../src/scheduler/sparse.ts";
import { pathOf } from "./links.ts";

const SECOND = 1_000_000;
const FRAME_US = SECOND / 30;

/** Whether a flow of frames of five packets, 1.5 Mbit/s in all, is sparse after two seconds. */
function isPictureSparse(mbps: number, isTcp: boolean): boolean {
  const links = [pathOf({ owdMs: 10, mbps }, 0), pathOf({ owdMs: 20, mbps }, 1)];
  const flows = new SparseFlows(8, links);
  let sparse = true;
  for (let i = 0; i < 60; i++) {
    for (let k = 0; k < 5; k++) sparse = flows.handlePacket(i * FRAME_US, 3, 1250, isTcp);
  }
  return sparse;
}

Deno.test("SparseFlows takes the picture of a call for sparse where it is a small share", () => {
  assertEquals(isPictureSparse(8, false), true);
  assertEquals(isPictureSparse(8, true), false);
  assertEquals(isPictureSparse(1, false), false);
});

Deno.test("SparseFlows takes a flow for bulk until it has paused", () => {
  const flows = new SparseFlows(8, [pathOf({ owdMs: 10 }, 0)]);
  const send = (now: number, packets: number): boolean => {
    let sparse = true;
    for (let i = 0; i < packets; i++) sparse = flows.handlePacket(now, 1, 1400, true);
    return sparse;
  };
  assertEquals(send(0, 11), true);
  assertEquals(send(0, 1), false);
  assertEquals(send(SECOND / 10, 1), false);
  assertEquals(send(SECOND / 2, 1), true);
});

Deno.test("SparseFlows takes no flow for a picture that has filled the links, for a while", () => {
  const flows = new SparseFlows(8, [pathOf({ owdMs: 10, mbps: 50 }, 0)]);
  let now = 0;
  /** Sends at a rate in Mbit/s; whether the flow is sparse in the end. */
  const send = (mbps: number, seconds: number): boolean => {
    let sparse = true;
    for (const end = now + seconds * SECOND; now < end; now += 1250 * 8 / mbps) {
      sparse = flows.handlePacket(now, 1, 1250, false);
    }
    return sparse;
  };
  assertEquals(send(2, 5), true);
  assertEquals(send(20, 1), false);
  now += SECOND;
  assertEquals(send(2, 5), false);
  now += 10 * SECOND;
  assertEquals(send(2, 5), true);
});
