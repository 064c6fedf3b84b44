import { isNumber } from '../../engine/option-checks.ts';
import { read } from '../../engine/read.ts';
import { type LetterAttempt, type LetterSource, type LetterTrace, MAX_HISTORY } from '../dead-letters/letter.ts';
import type { StoredPayload } from '../dead-letters/stored-payload.ts';
import type { ContinuedCall } from '../dead-letters/wait-keeper.ts';
import { JOB_FORMAT } from './job.ts';

/** What the data of a job are. */
export type ReadJob =
  | {
      readonly is: 'ours';
      readonly call: ContinuedCall;
      /** How often it was put back. */
      readonly putBack: number;
    }
  /** Written by a newer version of the library. */
  | { readonly is: 'newer'; readonly putBack: number }
  /** Not what this library writes. `why` holds nothing of the data. */
  | { readonly is: 'foreign'; readonly why: string };

/**
 * Reads the data of a job, which anybody may have written who can reach the queue: takes what it knows, field by field,
 * and nothing else.
 */
export function readJob(data: unknown): ReadJob {
  try {
    const job = new Fields(data, 'the job');
    const format = job.own('format');
    const isNewer = isNumber(format) && (format as number) > JOB_FORMAT;
    if (format !== JOB_FORMAT && !isNewer) return { is: 'foreign', why: 'the job is none of ours' };
    const putBack = job.has('putBack') ? job.integer('putBack') : 0;
    return isNewer ? { is: 'newer', putBack } : { is: 'ours', call: callOf(job), putBack };
  } catch (error) {
    return { is: 'foreign', why: error instanceof Refusal ? error.message : 'the job cannot be read' };
  }
}

function callOf(job: Fields): ContinuedCall {
  return Object.freeze<ContinuedCall>({
    id: job.text('id', 36, CALL_ID),
    operation: job.text('operation', 200),
    payload: payloadOf(job.inner('payload')),
    error: errorOf(job.inner('error')),
    attempts: job.integer('attempts', 1),
    history: job.list('history', MAX_HISTORY).map(attemptOf),
    firstFailedAt: job.integer('firstFailedAt'),
    lastFailedAt: job.integer('lastFailedAt'),
    idempotencyKey: job.text('idempotencyKey', 512),
    ...(job.has('trace') ? { trace: traceOf(job.inner('trace')) } : undefined),
    ...(job.has('source') ? { source: sourceOf(job.inner('source')) } : undefined),
    startedAt: job.integer('startedAt'),
    deadline: job.has('deadline') ? job.number('deadline') : undefined,
    wait: waitOf(job.inner('wait')),
  });
}

class Refusal extends Error {}

/** The fields of an object that is not to be trusted. */
class Fields {
  readonly #data: object;
  readonly #path: string;

  constructor(data: unknown, path: string) {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Refusal(`${path} is no object`);
    this.#data = data;
    this.#path = path;
  }

  /** Own properties alone: what a prototype has was not sent. */
  own(name: string): unknown {
    return Object.hasOwn(this.#data, name) ? read(this.#data, name) : undefined;
  }

  has(name: string): boolean {
    return this.own(name) !== undefined;
  }

  inner(name: string): Fields {
    return new Fields(this.own(name), `${name} of ${this.#path}`);
  }

  list(name: string, longest: number): readonly Fields[] {
    const value = this.own(name);
    if (!Array.isArray(value) || value.length > longest) return this.#refuse(name);
    return value.map((item: unknown) => new Fields(item, `an item in ${name} of ${this.#path}`));
  }

  text(name: string, longest: number, like: RegExp = /./s): string {
    const value = this.own(name);
    const fits = typeof value === 'string' && value.length <= longest && like.test(value);
    return fits ? value : this.#refuse(name);
  }

  number(name: string): number {
    const value = this.own(name);
    return Number.isFinite(value) && (value as number) >= 0 ? (value as number) : this.#refuse(name);
  }

  integer(name: string, least = 0): number {
    const value = this.number(name);
    return Number.isSafeInteger(value) && value >= least ? value : this.#refuse(name);
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.own(name) as T;
    return allowed.includes(value) ? value : this.#refuse(name);
  }

  #refuse(name: string): never {
    throw new Refusal(`${name} of ${this.#path} is not what it must be`);
  }
}

const ANY = /^/;
/** A UUID, since the letter of the call will have it. */
const CALL_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const LABEL = /^[\w.:-]+$/;
const LONGEST_MESSAGE = 2048;
const LONGEST_TOPIC = 249;

function payloadOf(payload: Fields): StoredPayload {
  const altered = payload.own('altered');
  if (!Array.isArray(altered) || altered.length > ALTERATIONS.length) throw new Refusal('altered is no list');
  const common = {
    version: payload.integer('version'),
    bytes: payload.integer('bytes'),
    altered: ALTERATIONS.filter(alteration => altered.includes(alteration)),
  };
  if (common.altered.length !== altered.length) throw new Refusal('altered holds unknown words');
  const kind = payload.oneOf('kind', ['plain', 'sealed', 'omitted']);
  switch (kind) {
    case 'plain':
      return { kind, json: payload.text('json', LONGEST_PAYLOAD), ...common };
    case 'sealed':
      return {
        kind,
        algorithm: payload.text('algorithm', 64),
        keyId: payload.text('keyId', 256),
        iv: payload.text('iv', 256),
        tag: payload.text('tag', 256),
        data: payload.text('data', LONGEST_PAYLOAD),
        ...common,
      };
    case 'omitted':
      return { kind, why: payload.oneOf('why', OMISSIONS), ...common };
  }
}

const LONGEST_PAYLOAD = 128 * 2 ** 20;
const ALTERATIONS = ['redacted', 'circular', 'type', 'unreadable', 'depth'] as const;
const OMISSIONS = ['too_large', 'unreadable', 'redaction_failed', 'sealing_failed', 'damaged'] as const;

function errorOf(error: Fields): ContinuedCall['error'] {
  return {
    type: error.text('type', 64, LABEL),
    message: error.text('message', LONGEST_MESSAGE, ANY),
    ...(error.has('code') ? { code: error.text('code', 64, LABEL) } : undefined),
  };
}

function attemptOf(attempt: Fields): LetterAttempt {
  return {
    startedAt: attempt.integer('startedAt'),
    ...(attempt.has('durationMs') ? { durationMs: attempt.number('durationMs') } : undefined),
    delayMs: attempt.number('delayMs'),
    errorType: attempt.text('errorType', 64, LABEL),
    redrive: attempt.integer('redrive'),
  };
}

function traceOf(trace: Fields): LetterTrace {
  return { traceId: trace.text('traceId', 32, /^[\da-f]{32}$/), spanId: trace.text('spanId', 16, /^[\da-f]{16}$/) };
}

function sourceOf(source: Fields): LetterSource {
  return {
    topic: source.text('topic', LONGEST_TOPIC, ANY),
    ...(source.has('partition') ? { partition: source.integer('partition') } : undefined),
    ...(source.has('offset') ? { offset: source.text('offset', 64, ANY) } : undefined),
  };
}

function waitOf(wait: Fields): ContinuedCall['wait'] {
  return {
    delayMs: wait.number('delayMs'),
    delaySource: wait.oneOf('delaySource', ['none', 'backoff', 'retry_after']),
  };
}
