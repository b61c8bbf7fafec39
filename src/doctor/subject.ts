/**
 * What is examined: a tunnel that runs, or a session that is made for the purpose.
 *
 * @module
 */

import type { EndpointStatus } from "../tunnel/options.ts";
import type { LineTestResult, TestWay } from "../tunnel/line_tests.ts";

/** A client's end of a tunnel, whose links can be tested. */
export interface Subject extends AsyncDisposable {
  /** Whether it is the tunnel itself, which others depend on. */
  readonly isRunning: boolean;
  status(): Promise<EndpointStatus>;
  /** Address and port of a link's socket; undefined without one. */
  localOf(link: string): string | undefined;
  /** Why a link has no socket. */
  socketProblemOf(link: string): { readonly message: string; readonly hint?: string } | undefined;
  /** Tests a link to the end. Rejects with AggvpnError. */
  test(link: string, way: TestWay, durationMs: number): Promise<LineTestResult>;
}
