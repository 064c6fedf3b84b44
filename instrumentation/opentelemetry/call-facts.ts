import { type Attributes, SpanKind, type SpanOptions, TraceFlags } from '@opentelemetry/api';
import type { AttemptInfo, CallInfo } from '../../src/engine/observer.ts';
import { ATTRIBUTES, SPANS } from '../names.ts';
import type { OperationCells } from '../store/operation-cells.ts';
import { store } from '../store/store.ts';

/** What all calls of one policy and operation have in common, built once. */
export class CallFacts {
  readonly cells: OperationCells;
  readonly callName: string;
  readonly attemptName: string;
  readonly callSpan: SpanOptions;
  /** Nearly every call ends with its first attempt, so what its span starts with is made beforehand. */
  readonly #firstAttempt: SpanOptions;
  readonly #info: CallInfo;

  constructor(info: CallInfo) {
    this.#info = info;
    this.cells = store.cellsFor(info);
    this.callName = SPANS.call(info.operation);
    this.attemptName = SPANS.attempt(info.operation);
    const { link } = info;
    this.callSpan = {
      ...startingWith({
        ...info.attributes,
        [ATTRIBUTES.operation]: info.operation,
        [ATTRIBUTES.maxAttempts]: attributeNumber(info.maxAttempts),
      }),
      // Whether the other span was sampled is not known here.
      ...(link && { links: [{ context: { ...link, traceFlags: TraceFlags.NONE, isRemote: true } }] }),
    };
    this.#firstAttempt = startingWith(this.#attributesOf({ number: 1, delayMs: 0, delaySource: 'none' }));
  }

  attemptSpan(info: AttemptInfo): SpanOptions {
    return info.number === 1 ? this.#firstAttempt : startingWith(this.#attributesOf(info));
  }

  #attributesOf(info: AttemptInfo): Attributes {
    return {
      [ATTRIBUTES.operation]: this.#info.operation,
      [ATTRIBUTES.attempt]: info.number,
      [ATTRIBUTES.maxAttempts]: attributeNumber(this.#info.maxAttempts),
      [ATTRIBUTES.delay]: info.delayMs / 1000,
      [ATTRIBUTES.delaySource]: info.delaySource,
    };
  }
}

/** INTERNAL, so that a service graph does not count the call beside the requests in it. */
function startingWith(attributes: Attributes): SpanOptions {
  return { kind: SpanKind.INTERNAL, attributes };
}

/** No exporter can carry an infinite number; 0 says "no limit", which no real limit can be. */
function attributeNumber(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

const cache = new WeakMap<CallInfo, CallFacts>();

/** The facts of a call; the same object for the same `info`. */
export function factsOf(info: CallInfo): CallFacts {
  const known = cache.get(info);
  if (known !== undefined) return known;
  const facts = new CallFacts(info);
  cache.set(info, facts);
  return facts;
}
