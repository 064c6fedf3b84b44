import { type DeadLetter, newLetterIdForTests } from './letter-id.ts';

let made = 0;

/** A letter as a queue makes them, with what a test wants of it. */
export function letterWith(own: Partial<DeadLetter> = {}): DeadLetter {
  const diedAt = own.diedAt ?? 1_704_067_200_000;
  made++;
  return {
    id: newLetterIdForTests(diedAt, made),
    queue: 'payments',
    operation: 'charge_card',
    payload: { kind: 'plain', json: `[{"order":${made}}]`, version: 1, bytes: 13, altered: [] },
    error: { type: 'ECONNREFUSED', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
    reason: 'attempts_exhausted',
    attempts: 3,
    history: [{ startedAt: diedAt - 10, durationMs: 3, delayMs: 0, errorType: 'ECONNREFUSED', redrive: 0 }],
    firstFailedAt: diedAt - 10,
    lastFailedAt: diedAt,
    diedAt,
    idempotencyKey: `key-${made}`,
    redrives: 0,
    state: { is: 'dead' },
    ...own,
  };
}
