import { KINDS } from './limits.ts';
import { SERVICE_KINDS } from './service-rule.ts';

/** The JSON schema of policy files, for editors: name it as `$schema`. What it allows, the reader checks more closely. */
export const POLICY_FILE_SCHEMA: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Policies of retryscope',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    budgets: section('Retry budgets by name, shared by every policy that names them.', {
      kind: { enum: KINDS.budgets, default: 'success' },
      name: text('Label of the metrics. Default: the name in this file.'),
      ratio: number('Tokens for each success, or each call.', 0),
      capacity: number('Tokens that it holds.', 0),
      windowMs: number('How long a token lasts, in milliseconds.', 0),
      minPerSecond: number('Retries per second that are always allowed.', 0),
      maxTokens: number('Tokens of a gRPC throttle.', 0),
      tokenRatio: number('Tokens for each success of a gRPC throttle.', 0),
      cost: { type: ['number', 'object'], description: 'Tokens for a retry, or by kind of failure.' },
    }),
    breakers: section('Circuit breakers by name.', {
      name: text('Label of the metrics. Default: the name in this file.'),
      trip: {
        type: 'object',
        description: 'When it opens.',
        properties: { kind: { enum: ['consecutive', 'count', 'time'] } },
        required: ['kind'],
      },
      openMs: number('How long it stays open, in milliseconds. Default 30000.', 0),
      probes: number('Attempts that it lets through when half open. Default 1.', 1),
      probeTimeoutMs: number('How long a probe may take, in milliseconds. Default 10000.', 1),
      whenOpen: { enum: ['stop', 'wait'], default: 'stop' },
    }),
    adaptives: section('Adaptive limits by name.', {
      kind: { enum: KINDS.adaptives, default: 'cubic' },
      name: text('Default: the name in this file.'),
      maxWaitMs: number('The longest wait before an attempt, in milliseconds.', 0),
      k: number('How much more than it accepts a service is sent.', 1),
      windowMs: number('Over how long that is counted, in milliseconds.', 0),
    }),
    bulkheads: section('Limits on attempts that run at the same time, by name.', {
      name: text('Default: the name in this file.'),
      limit: number('Attempts at the same time.', 1),
      queue: number('Attempts that may wait. Default 0.', 0),
    }),
    policies: { type: 'object', additionalProperties: { $ref: '#/definitions/policy' } },
    operations: {
      type: 'object',
      description: 'Which policy an operation has.',
      additionalProperties: { $ref: '#/definitions/policyOrName' },
    },
    services: {
      type: 'array',
      description: 'Policies for calls that an instrumented process makes; the first rule that fits holds.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['kind', 'policy'],
        properties: {
          kind: { enum: SERVICE_KINDS },
          host: text('A host, or *.example.com for those below it.'),
          methods: { type: 'array', items: { type: 'string', pattern: '^[A-Z]+$' } },
          route: { type: 'string', pattern: '^/', description: 'Such as /users/:id; a * at the end is for the rest.' },
          name: text('A topic or a command; a * at the end is for the rest.'),
          operation: text('Name of the spans and the metric label.'),
          policy: { $ref: '#/definitions/policyOrName' },
        },
      },
    },
  },
  definitions: {
    policyOrName: { anyOf: [text('Name of a policy.'), { $ref: '#/definitions/policy' }] },
    policy: {
      type: 'object',
      additionalProperties: false,
      properties: {
        operation: text('Name of the spans and the metric label.'),
        maxAttempts: { type: 'integer', minimum: 1, default: 3, description: 'Executions in all, the first included.' },
        initialDelay: { ...number('The delay before the first retry, in milliseconds.', 0), default: 1000 },
        maxDelay: { ...number('No delay is longer, in milliseconds.', 0), default: 60_000 },
        exponentialBase: { ...number('What the delay is multiplied by.', 1), default: 2 },
        jitter: { enum: [true, false, 'full', 'equal', 'proportional', 'decorrelated'], default: true },
        backoff: {
          anyOf: [
            { enum: ['exponential', 'constant', 'linear', 'fibonacci'] },
            { type: 'array', minItems: 1, items: { type: 'number', minimum: 0 } },
          ],
        },
        retryOn: {
          anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
          description: 'Codes or names of errors. Default: transient errors.',
        },
        attemptTimeout: number('Limit of one attempt, in milliseconds.', 1),
        maxElapsed: number('Limit of the whole call, in milliseconds.', 1),
        retryAfter: { type: 'boolean', default: true },
        hedge: number(
          'A second attempt beside a slow one, after so many milliseconds. Only for what may run twice.',
          0,
        ),
        nested: { enum: ['inner', 'outer', 'both'], default: 'inner' },
        attributes: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
        unref: { type: 'boolean', default: false },
        budget: text('Name of a budget.'),
        breaker: text('Name of a breaker.'),
        adaptive: text('Name of an adaptive limit.'),
        bulkhead: text('Name of a bulkhead.'),
      },
    },
  },
};

/** A piece of a JSON schema, as plain data. */
export type JsonSchema = { readonly [key: string]: unknown };

function section(description: string, properties: JsonSchema): JsonSchema {
  return {
    type: 'object',
    description,
    additionalProperties: { type: 'object', additionalProperties: false, properties },
  };
}

function text(description: string): JsonSchema {
  return { type: 'string', minLength: 1, description };
}

function number(description: string, minimum: number): JsonSchema {
  return { type: 'number', minimum, description };
}
