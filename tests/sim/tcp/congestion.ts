/**
 * What a sender asks of any congestion control: how much may be in flight, and how fast it may
 * leave. Windows are in segments.
 *
 * @module
 */

/** What a sender is doing: nothing is lost, losses are repaired, a timeout has passed. */
export type SenderState = "open" | "recovery" | "loss";

/** What a congestion control may know of what its sender has sent. */
export interface InFlight {
  /** Lowest unacknowledged segment, and the next new one. */
  readonly una: number;
  readonly next: number;
  /** Segments believed to be on the way. */
  readonly pipe: number;
  /** Segments that arrived with the acknowledgement being processed. */
  readonly delivered: number;
  /** The latest round trip of that acknowledgement in microseconds; 0 for none. */
  readonly rttUs: number;
  readonly minRttUs: number;
}

/** The congestion control of one sender. */
export interface Congestion {
  /** Segments that may be in flight; fractions count for growth only. */
  readonly cwnd: number;
  /** Time between two segments, in microseconds; 0: they leave as the window allows. */
  readonly paceUs: number;
  /** What a trace prints about it. */
  readonly note: string;

  /** `segment` is about to be sent; `limited` when the application has no more. */
  onSend(now: number, segment: number, board: InFlight, limited: boolean): void;
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
    board: InFlight,
    state: SenderState,
    progress: boolean,
    lost: number,
    limited: boolean,
  ): void;
  /** Losses were found, or a timeout has passed; `before` is what the sender did until then. */
  onEnter(before: SenderState, state: SenderState, board: InFlight): void;
  /** What was lost has been repaired. */
  onRepaired(state: SenderState): void;
  /** What was considered lost was not. */
  onUndo(): void;
  /** The sender was idle for longer than a timeout (RFC 5681 section 4.1). */
  onIdle(): void;
}

/** Names of the congestion controls. */
export type CongestionName = "cubic" | "bbr";
