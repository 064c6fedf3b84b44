/** What the upstream does with a request. */
export type Behaviour = 'ok' | 'slow' | '503' | '503 with Retry-After' | 'reset' | 'hang';

/** A stretch of the demo, and how the upstream behaves in it. */
export interface Phase {
  readonly name: string;
  /** Its part of the whole, of 1. */
  readonly share: number;
  /** How likely each behaviour is; the rest is `ok`. */
  readonly chances: Partial<Record<Behaviour, number>>;
}

/** Healthy, flaky, down, and back again. */
export const PHASES: readonly Phase[] = [
  { name: 'healthy', share: 0.2, chances: { slow: 0.02, '503': 0.01 } },
  {
    name: 'flaky',
    share: 0.35,
    chances: { '503': 0.12, '503 with Retry-After': 0.08, reset: 0.08, hang: 0.05, slow: 0.06 },
  },
  { name: 'outage', share: 0.15, chances: { '503': 0.4, reset: 0.4, hang: 0.2 } },
  { name: 'recovery', share: 0.3, chances: { '503': 0.04, reset: 0.02, slow: 0.04 } },
];

/** The phase at `progress`, a number from 0 to 1; beyond 1 it begins anew. */
export function phaseAt(progress: number): Phase {
  let left = progress % 1;
  for (const phase of PHASES) {
    if (left < phase.share) return phase;
    left -= phase.share;
  }
  return PHASES[PHASES.length - 1] as Phase;
}

/** What happens to a request in a phase, by a number in [0, 1). */
export function behaviourAt(phase: Phase, random: number): Behaviour {
  let left = random;
  for (const [behaviour, chance] of Object.entries(phase.chances)) {
    if (left < chance) return behaviour as Behaviour;
    left -= chance;
  }
  return 'ok';
}
