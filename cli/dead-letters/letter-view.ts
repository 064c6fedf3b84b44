import type { DeadLetter, OpenedPayload } from 'retryscope/dead-letters';

/** A letter as programs are shown it: with the facts of its payload, and without what is in it. */
export function letterView(letter: DeadLetter, opened?: OpenedPayload): Record<string, unknown> {
  const { kind, version, bytes, altered } = letter.payload;
  const payload = {
    kind,
    version,
    bytes,
    altered,
    ...(letter.payload.kind === 'omitted' ? { why: letter.payload.why } : undefined),
    ...(letter.payload.kind === 'sealed'
      ? { algorithm: letter.payload.algorithm, keyId: letter.payload.keyId }
      : undefined),
    ...opened,
  };
  return { ...letter, payload };
}
