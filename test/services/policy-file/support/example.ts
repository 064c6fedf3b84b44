/** A file that has something of everything. */
export const EXAMPLE: Readonly<Record<string, unknown>> = {
  $schema: 'node_modules/retryscope/retryscope.schema.json',
  budgets: { users: { ratio: 0.15, capacity: 20 }, rpc: { kind: 'grpc', maxTokens: 8 } },
  breakers: { users: { trip: { kind: 'time', failureRatio: 0.5 }, openMs: 5000 } },
  adaptives: { search: { kind: 'accept', k: 3 } },
  bulkheads: { reports: { limit: 4, queue: 20 } },
  policies: {
    patient: { maxAttempts: 5, initialDelay: 1, budget: 'users', breaker: 'users' },
    rpc: { budget: 'rpc', adaptive: 'search', bulkhead: 'reports', backoff: [1, 2], retryOn: ['ECONNRESET'] },
  },
  operations: { load_user: 'patient', quick: { maxAttempts: 1 } },
  services: [
    {
      kind: 'http',
      host: 'users.internal',
      methods: ['GET'],
      route: '/users/:id',
      policy: 'patient',
      operation: 'load_user',
    },
    { kind: 'http', host: '*.internal', policy: { maxAttempts: 2 } },
    { kind: 'kafka', name: 'orders-*', policy: 'rpc' },
  ],
};
