import { type Context, context } from '@opentelemetry/api';
import type { AttemptEnd, Scope } from '../../src/engine/observer.ts';
import type { MeteredCall } from '../store/observer.ts';

/** An attempt without a span of its own: it runs in the call's context. */
export class PlacedAttempt implements Scope<AttemptEnd> {
  readonly #context: Context;
  readonly #call: MeteredCall;

  constructor(place: Context, call: MeteredCall) {
    this.#context = place;
    this.#call = call;
  }

  run<R>(fn: () => R): R {
    return context.with(this.#context, fn);
  }

  end(end: AttemptEnd): void {
    this.#call.attemptEnded(end);
  }
}
