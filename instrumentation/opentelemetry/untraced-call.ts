import { type Context, context } from '@opentelemetry/api';
import type { AttemptEnd, AttemptInfo, CallScope, Scope } from '../../src/engine/observer.ts';
import { MeteredCall } from '../store/observer.ts';
import type { OperationCells } from '../store/operation-cells.ts';
import { PlacedAttempt } from './placed-attempt.ts';

/**
 * A call that the sampler did not want and that had no parent. Its attempts still run in the context of the span that
 * is not recorded: otherwise each request in them would start a trace of its own, and ask the sampler anew.
 */
export class UnsampledRoot extends MeteredCall {
  readonly #context: Context;

  constructor(cells: OperationCells, place: Context) {
    super(cells);
    this.#context = place;
  }

  override attempt(info: AttemptInfo): Scope<AttemptEnd> {
    this.attemptStarted(info);
    return new PlacedAttempt(this.#context, this);
  }
}

/** The same without counting. */
export function placedCall(place: Context): CallScope {
  const attempt: Scope<AttemptEnd> = { run: fn => context.with(place, fn) };
  return { attempt: () => attempt };
}
