import { MOST_TOKENS } from '../../limits/token-units.ts';
import { KINDS } from './limits.ts';
import { choice, integer, type JsonSchema, milliseconds, name, number } from './schema-pieces.ts';

const TOKENS = number('Tokens.', 0, MOST_TOKENS);
const LABEL = name('Label of the metrics. Default: the name in this file.');

/** The budgets of a policy file. */
export const BUDGETS: JsonSchema = section('Retry budgets by name, each shared by every policy that names it.', {
  properties: {
    kind: choice('Where its tokens come from.', KINDS.budgets, 'success'),
    name: LABEL,
    ratio: number('Tokens that each success adds (success, default 0.1), or each call (window, default 0.2).', 0, 1000),
    capacity: number('The most tokens: retries in a row when nothing succeeds.', 0, MOST_TOKENS),
    initial: number('Tokens at the start. Default: as many as capacity.', 0, MOST_TOKENS),
    windowMs: number('How long what was added or taken counts, in milliseconds.', 1000, 60_000, 10_000),
    minPerSecond: number('Retries per second that are always granted, by each process.', 0, 10_000, 0),
    maxTokens: integer('Tokens of a gRPC throttle.', 1, 1000, 10),
    tokenRatio: number('Tokens that each success adds to a gRPC throttle.', 0.001, 1000, 0.1),
    cost: {
      description: 'What one retry takes: tokens, or tokens by kind of failure.',
      anyOf: [
        TOKENS,
        {
          type: 'object',
          additionalProperties: false,
          properties: { transient: TOKENS, throttled: TOKENS, timeout: TOKENS },
        },
      ],
    },
  },
  allOf: byKind({
    success: ['ratio', 'capacity', 'initial', 'cost'],
    window: ['ratio', 'windowMs', 'minPerSecond', 'cost'],
    grpc: ['maxTokens', 'tokenRatio'],
    aws: ['capacity', 'initial', 'cost'],
    'aws-classic': ['capacity', 'initial'],
  }),
});

/** The breakers of a policy file. */
export const BREAKERS: JsonSchema = section('Circuit breakers by name, each shared by every policy that names it.', {
  properties: {
    name: LABEL,
    trip: {
      type: 'object',
      description: 'When it opens. Default: after five failures in a row.',
      required: ['kind'],
      properties: {
        kind: choice('What is counted.', ['consecutive', 'count', 'time']),
        failures: integer('Failures in a row.', 1, 10_000, 5),
        size: integer('How many of the last attempts count.', 1, 10_000, 100),
        windowMs: number('How long attempts count, in milliseconds.', 100, 3_600_000, 10_000),
        failureRatio: number('The share of them that fails.', 0.001, 1, 0.5),
        minimum: integer('Fewer attempts than these never open it.', 1, 1_000_000),
      },
      allOf: byKind(
        {
          consecutive: ['failures'],
          count: ['size', 'failureRatio', 'minimum'],
          time: ['windowMs', 'failureRatio', 'minimum'],
        },
        [],
      ),
    },
    openMs: milliseconds('How long it stays open.', 0, 30_000),
    probes: integer('Attempts that it lets through when half open.', 1, 1000, 1),
    probeTimeoutMs: milliseconds('How long a probe may take.', 1, 10_000),
    whenOpen: choice('What a call does that meets it open.', ['stop', 'wait'], 'stop'),
  },
});

/** The adaptive limits of a policy file. */
export const ADAPTIVES: JsonSchema = section('Adaptive limits by name.', {
  properties: {
    kind: choice('How it limits.', KINDS.adaptives, 'cubic'),
    name: name('A name for messages. Default: the name in this file.'),
    maxWaitMs: milliseconds('The longest wait before an attempt (cubic).', 0, 5000),
    k: number('How much more than it accepts a service is sent (accept).', 1, 100, 2),
    windowMs: number('Over how long that is counted, in milliseconds (accept).', 1000, 3_600_000, 120_000),
  },
  allOf: byKind({ cubic: ['maxWaitMs'], accept: ['k', 'windowMs'] }),
});

/** The bulkheads of a policy file. */
export const BULKHEADS: JsonSchema = section('Limits on attempts that run at the same time, by name.', {
  required: ['limit'],
  properties: {
    name: name('A name for messages. Default: the name in this file.'),
    limit: integer('Attempts at the same time.', 1, 1_000_000),
    queue: integer('Attempts that may wait.', 0, 1_000_000, 0),
  },
});

function section(description: string, terms: JsonSchema): JsonSchema {
  return {
    type: 'object',
    description,
    additionalProperties: { type: 'object', additionalProperties: false, ...terms },
  };
}

/** Which options a kind has beside `kind` and those of all kinds; the first kind is the default. */
function byKind(
  options: Readonly<Record<string, readonly string[]>>,
  always: readonly string[] = ['name'],
): JsonSchema[] {
  return Object.entries(options).map(([kind, own], i) => ({
    // Without the name of a kind it is the first one's; in a condition, what is missing fits.
    if: { ...(i === 0 ? undefined : { required: ['kind'] }), properties: { kind: { const: kind } } },
    then: { propertyNames: { enum: ['kind', ...always, ...own] } },
  }));
}
