/**
 * How one direction of an emulated line behaves.
 *
 * @module
 */

/** Burst loss after Gilbert and Elliott: two states with a loss rate each. */
export interface BurstLoss {
  /** Chance per packet to go from the good state to the bad one. */
  readonly enter: number;
  /** Chance per packet to come back. */
  readonly leave: number;
  /** Loss in the good state, 0 to 1. */
  readonly good: number;
  /** Loss in the bad state, 0 to 1. */
  readonly bad: number;
}

/** One direction of a line. Every field can change while it runs. */
export interface Shape {
  /** Bits per second of IP packets; 0: as fast as they come. */
  readonly rateBps: number;
  /**
   * A recorded capacity instead of that, from when it is set: milliseconds at which 1500 bytes may
   * leave, the last of which is the period; null: none. `rateBps` is then its mean.
   */
  readonly trace: readonly number[] | null;
  /** One-way delay after the last bit has left, in microseconds. */
  readonly delayUs: number;
  /** Recorded delays instead of that, in milliseconds, each for 10 ms, from when they are set. */
  readonly delayTrace: readonly number[] | null;
  /** Added to the delay, uniform in 0 to this, in microseconds. */
  readonly jitterUs: number;
  /**
   * Whether it is normal instead, with that as its standard deviation: it takes away from the
   * delay as often as it adds, as netem's does, but leaves nothing before 0.
   */
  readonly jitterIsNormal: boolean;
  /** Whether jitter may change the order of packets. */
  readonly reorder: boolean;
  /** Chance that a packet which has crossed the bottleneck is lost, 0 to 1. */
  readonly loss: number;
  /** Burst loss on top of it; null for none. */
  readonly burst: BurstLoss | null;
  /** Longest queue before the bottleneck, in bytes; 0: no such limit. */
  readonly queueBytes: number;
  /** Longest queue in microseconds at the current rate; 0: no such limit. */
  readonly queueUs: number;
  /** Everything that would arrive is lost, silently. */
  readonly blackhole: boolean;
  /** IP packets above this many bytes vanish, as beyond a narrower router; 0: no limit. */
  readonly mtu: number;
  /** Whether their sender is told so by ICMP, as a router should and few still do. */
  readonly fragmentationNeeded: boolean;
}

/** A wire: no limit of any kind but a queue of 100 ms when a rate is set. */
export const WIRE: Shape = {
  rateBps: 0,
  trace: null,
  delayUs: 0,
  delayTrace: null,
  jitterUs: 0,
  jitterIsNormal: false,
  reorder: false,
  loss: 0,
  burst: null,
  queueBytes: 0,
  queueUs: 100_000,
  blackhole: false,
  mtu: 0,
  fragmentationNeeded: false,
};

/** What one direction has done so far. */
export interface Counters {
  /** Packets and bytes that came in. */
  readonly inPackets: number;
  readonly inBytes: number;
  /** Packets and bytes delivered. */
  readonly outPackets: number;
  readonly outBytes: number;
  /** Dropped because the queue was full. */
  readonly tailDrops: number;
  /** Lost at random or in a burst. */
  readonly lost: number;
  /** Swallowed while the line was cut. */
  readonly swallowed: number;
  /** Above the path's MTU. */
  readonly tooBig: number;
  /** Of those, how many were answered by ICMP. */
  readonly answered: number;
  /** Dropped because the emulator itself ran out of buffers; 0 in a valid run. */
  readonly overrun: number;
  /** The longest queue seen since the last reading, in bytes. */
  readonly peakQueueBytes: number;
}
