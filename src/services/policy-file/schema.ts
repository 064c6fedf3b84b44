import { DEFAULTS } from '../../engine/options.ts';
import { ADAPTIVES, BREAKERS, BUDGETS, BULKHEADS } from './schema-limits.ts';
import { boolean, choice, integer, type JsonSchema, milliseconds, name, number, text } from './schema-pieces.ts';
import { SERVICE_KINDS } from './service-rule.ts';

const POLICY: JsonSchema = {
  type: 'object',
  description: 'Options of a retry policy. Times are milliseconds.',
  additionalProperties: false,
  properties: {
    operation: name('Name of the spans and the metric label.'),
    maxAttempts: integer('Executions in all, the first included.', 1, undefined, DEFAULTS.maxAttempts),
    initialDelay: milliseconds('The delay before the first retry.', 0, DEFAULTS.initialDelay),
    maxDelay: milliseconds('No delay is longer, and no wait that a server asks for.', 0, DEFAULTS.maxDelay),
    exponentialBase: number('What the delay is multiplied by from retry to retry.', 1, 1000, DEFAULTS.exponentialBase),
    jitter: choice(
      'How delays are spread, so that clients that failed together do not come back together.',
      [true, false, 'full', 'equal', 'proportional', 'decorrelated'],
      DEFAULTS.jitter,
    ),
    backoff: {
      description: 'How delays grow: a kind, or a list of delays of which the last one repeats. Default exponential.',
      anyOf: [
        { enum: ['exponential', 'constant', 'linear', 'fibonacci'] },
        { type: 'array', minItems: 1, items: milliseconds('A delay.', 0) },
      ],
    },
    retryOn: {
      description: 'Codes or names of the errors that are retried. Default: transient errors.',
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    },
    attemptTimeout: milliseconds('Limit of one attempt. Default none.', 1),
    maxElapsed: milliseconds('Limit of the whole call. Default none.', 1),
    retryAfter: boolean('Whether a server decides the next delay by Retry-After.', DEFAULTS.retryAfter === true),
    hedge: milliseconds('A second attempt beside a slow one, after so long. Only for what may run twice.', 0),
    nested: choice('Which layer retries where calls nest.', ['inner', 'outer', 'both'], DEFAULTS.nested),
    attributes: {
      type: 'object',
      description: 'Attributes of your own for the call span.',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
    unref: boolean('Let the process exit while a call waits.', DEFAULTS.unref),
    budget: text('Name of a budget of this file.'),
    breaker: text('Name of a breaker of this file.'),
    adaptive: text('Name of an adaptive limit of this file.'),
    bulkhead: text('Name of a bulkhead of this file.'),
  },
};

const SERVICE: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'policy'],
  properties: {
    kind: choice('What is called.', SERVICE_KINDS),
    host: {
      type: 'string',
      maxLength: 500,
      pattern: '^(\\*\\.)?[^\\s/@*?#]+$',
      description: 'A host, with its port where that matters, or *.example.com for those below it. Not for kafka.',
    },
    methods: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^[A-Z]+$' },
      description: 'HTTP methods in capitals. POST and PATCH may do their work twice.',
    },
    route: {
      type: 'string',
      maxLength: 500,
      pattern: '^/',
      description: 'A template of the path, such as /users/:id; a * at the end stands for the rest.',
    },
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 500,
      description: 'A topic, or a command in capitals or small letters; a * at the end stands for the rest.',
    },
    operation: name('Name of the spans and the metric label.'),
    policy: { $ref: '#/definitions/policyOrName' },
  },
  allOf: [
    { if: { properties: { kind: { const: 'http' } } }, else: { properties: { methods: false, route: false } } },
    { if: { properties: { kind: { const: 'kafka' } } }, then: { properties: { host: false } } },
  ],
};

/**
 * The JSON schema of policy files, for editors: name it as `$schema`, it is in the package as
 * `schema/retryscope.config.schema.json`. It allows whatever the reader allows; that the names in a file exist, only the
 * reader can tell.
 */
export const POLICY_FILE_SCHEMA: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'https://unpkg.com/retryscope/schema/retryscope.config.schema.json',
  title: 'Policies of retryscope',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { description: 'Where this schema is.' },
    budgets: BUDGETS,
    breakers: BREAKERS,
    adaptives: ADAPTIVES,
    bulkheads: BULKHEADS,
    policies: {
      type: 'object',
      description: 'Policies by name.',
      additionalProperties: { $ref: '#/definitions/policy' },
    },
    operations: {
      type: 'object',
      description: 'Which policy an operation has.',
      propertyNames: { minLength: 1, maxLength: 200 },
      additionalProperties: { $ref: '#/definitions/policyOrName' },
    },
    services: {
      type: 'array',
      description: 'Policies for calls that an instrumented process makes; the first rule that fits holds.',
      items: SERVICE,
    },
  },
  definitions: {
    policyOrName: { anyOf: [text('Name of a policy of this file.'), { $ref: '#/definitions/policy' }] },
    policy: POLICY,
  },
};
