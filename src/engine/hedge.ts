/**
 * What the engine asks of a policy's hedging: when to start a second attempt beside one that is slow.
 * `LatencyHedge` answers it, and so does a number of milliseconds.
 */
export interface Hedge {
  /** Milliseconds after which a second attempt starts; undefined for none. */
  delayMs(): number | undefined;
  /** How long a successful attempt took. */
  record?(durationMs: number): void;
}
