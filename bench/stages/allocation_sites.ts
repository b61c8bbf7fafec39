/**
 * Which functions allocate: V8's sampling heap profiler over some work.
 *
 * @module
 */

import inspector from "node:inspector";

/** Bytes of allocation between two samples, on average. */
const SAMPLING_BYTES = 256;

/** What a function allocated. */
export interface Site {
  /** Name, file and line. */
  readonly name: string;
  readonly bytes: number;
}

/** A node of `HeapProfiler.SamplingHeapProfile` (Chrome DevTools Protocol). */
interface Node {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From 0. */
    readonly lineNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly Node[];
}

/** Runs `work` and returns who allocated how much in it, the most first. */
export async function allocationSites(work: () => void): Promise<Site[]> {
  const session = new inspector.Session();
  session.connect();
  const post = (method: string, params: object = {}): Promise<object> =>
    new Promise((resolve, reject) =>
      session.post(
        method,
        params,
        (error: Error | null, result?: object) => error ? reject(error) : resolve(result ?? {}),
      )
    );
  await post("HeapProfiler.startSampling", {
    samplingInterval: SAMPLING_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  work();
  const { profile } = await post("HeapProfiler.stopSampling") as { profile: { head: Node } };
  session.disconnect();
  const bytes = new Map<string, number>();
  addNode(profile.head, bytes);
  return [...bytes].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

function addNode({ callFrame, selfSize, children }: Node, to: Map<string, number>): void {
  const { functionName, url, lineNumber } = callFrame;
  const file = url.replace(/^.*\/(?=(?:src|bench)\/)/, "");
  const name = `${functionName} ${file}:${lineNumber + 1}`;
  if (selfSize > 0) to.set(name, (to.get(name) ?? 0) + selfSize);
  for (const child of children) addNode(child, to);
}
