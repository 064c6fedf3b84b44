import { inspect } from 'node:util';
import { errorType } from '../../src/engine/describe-error.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { type EchoServer, startEchoServer } from './grpc/echo-server.ts';
import { type AllSinks, SINKS, type SinkName, startSinks } from './support/all-sinks.ts';
import { EVERYDAY_FAILURES, endFailures, startFailures } from './support/everyday-failures.ts';
import { READY_CALLS } from './support/ready-calls.ts';
import { leakOf, SECRET_SHAPES } from './support/secret-shapes.ts';

// gRPC waits on real time, and machines may be busy.
jest.setTimeout(30_000);

/** A fault of ours is warned of once in a process. */
const MAY_BE_EMPTY: readonly SinkName[] = ['process warnings'];

let sinks: AllSinks;
let grpc: EchoServer;
let looks = 0;
beforeAll(async () => {
  await startFailures();
  grpc = await startEchoServer();
  sinks = startSinks();
});
afterAll(async () => {
  sinks?.end();
  grpc?.end();
  await endFailures();
});

describe.each(EVERYDAY_FAILURES)('$name', ({ make, type, holds }) => {
  it.each(SECRET_SHAPES)('tells nobody the $name', async shape => {
    const error = await make(shape);
    expect(errorType(error)).toBe(type);
    if (holds) expect(leakOf(shape, inspect(error, { depth: 10 }))).toBeDefined();
    const before = plainly(error);
    for (const call of Object.values(READY_CALLS)) {
      await call({ error, shape, sinks, grpc, clock: new FakeClock() });
    }
    const told = await sinks.take();
    for (const sink of SINKS) {
      expect([sink, leakOf(shape, told[sink])]).toEqual([sink, undefined]);
      expect([sink, told[sink] !== '' || MAY_BE_EMPTY.includes(sink)]).toEqual([sink, true]);
      looks++;
    }
    expect(told['log function'].match(/"reason":"attempts_exhausted"/g)).toHaveLength(Object.keys(READY_CALLS).length);
    expect(told['OpenTelemetry metrics']).toContain(`error_type="${type}"`);
    expect(plainly(error)).toEqual(before);
  });
});

/** What of an error is the caller's. Not the stack: axios writes into it. */
function plainly(error: unknown): unknown {
  const { name, message, code, detail } = error as Record<string, unknown>;
  return { name, message, code, detail };
}

it('9 failures with 12 shapes of secrets were looked for in every sink', () => {
  expect([EVERYDAY_FAILURES.length, SECRET_SHAPES.length]).toEqual([9, 12]);
  expect(looks).toBe(9 * 12 * SINKS.length);
});
