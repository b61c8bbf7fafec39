/**
 * What a sender asks of any congestion control: how much may be in flight, and how fast it may
 * leave. Windows are in segments.
 *
 * @module
 */

import type { Scoreboard } from "./scoreboard.ts";

/** What a sender is doing: nothing is lost, losses are repaired, a timeout has passed. */
export type SenderState = "open" | "recovery" | "loss";

/** The congestion control of one sender. */
export interface Congestion {
  /** Segments that may be in flight; fractions count for growth only. */
  readonly cwnd: number;
  /** Time between two segments, in microseconds; 0: they leave as the window allows. */
  readonly paceUs: number;
  /** What a trace prints about it. */
  readonly note: string;

  /** `segment` is about to be sent; `limited` when the application has no more. */
  onSend(now: number, segment: number, board: Scoreboard, limited: boolean): void;
  /** `segment` has arrived, by the acknowledgement that is being processed. */
  onArrive(now: number, segment: number, sentAtUs: number): void;
  /**
   * An acknowledgement was processed, or a timer has found losses.
   * @param progress whether the lowest unacknowledged segment has moved
   * @param lost segments that were found lost
   * @param limited whether the window was not the limit
   */
  onAck(
    now: number,
    board: Scoreboard,
    state: SenderState,
    progress: boolean,
    lost: number,
    limited: boolean,
  ): void;
  /** Losses were found, or a timeout has passed; `before` is what the sender did until then. */
  onEnter(before: SenderState, state: SenderState, board: Scoreboard): void;
  /** What was lost has been repaired. */
  onRepaired(state: SenderState): void;
  /** What was considered lost was not. */
  onUndo(): void;
  /** The sender was idle for longer than a timeout (RFC 5681 section 4.1). */
  onIdle(): void;
}

/** Names of the congestion controls. */
export type CongestionName = "cubic" | "bbr";
