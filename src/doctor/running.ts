/**
 * A tunnel that runs, asked over its control socket: it knows most by itself, and measures the rest
 * in its own session.
 *
 * @module
 */

import { ask } from "../control/client.ts";
import type { StatusDocument } from "../control/protocol.ts";
import { AggvpnError } from "../errors.ts";
import type { LineTestResult } from "../tunnel/line_tests.ts";
import type { Subject } from "./subject.ts";

/** What a test takes beyond its time, in milliseconds. */
const AFTER_MS = 5_000;

/** Asks the tunnel with the control socket `path`. Rejects with AggvpnError. */
export async function openRunning(path: string): Promise<Subject> {
  const asked = async (): Promise<StatusDocument> => {
    const answer = await ask(path, "status") as StatusDocument | null;
    if (answer === null) {
      throw new AggvpnError("The tunnel is still being set up", { hint: "Try again in a second" });
    }
    return answer;
  };
  const { daemon } = await asked();
  const socketOf = (link: string): (typeof daemon.sockets)[number] | undefined =>
    daemon.sockets.find(({ name }) => name === link);
  return {
    isRunning: true,
    status: async () => (await asked()).tunnel,
    localOf: (link) => socketOf(link)?.local || undefined,
    socketProblemOf(link): ReturnType<Subject["socketProblemOf"]> {
      const reason = socketOf(link)?.reason;
      return reason === undefined ? undefined : { message: reason };
    },
    test: async (link, way, milliseconds) => {
      const parameters = { link, way, milliseconds };
      return await ask(path, "line-test", parameters, milliseconds + AFTER_MS) as LineTestResult;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
