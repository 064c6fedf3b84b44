import { runChild, tree } from './support/children.ts';

// Processes are started here, on machines that may be busy.
jest.setTimeout(120_000);

/** The operation of each library's scenario "succeeds after retries", and the span of the user's own work in it. */
const RETRYING = [
  ['p-retry', 'fetchRates_', ['request 1', 'request 2', 'request 3']],
  ['async-retry', 'fetchUser', ['request 1', 'request 2', 'request 3']],
  ['retry', 'resolveHost', ['request 1', 'request 2', 'request 3']],
  ['exponential-backoff', 'fetchUser', ['request', 'request', 'request']],
  ['cockatiel', 'fetchUser', ['request 0', 'request 1', 'request 2']],
  ['got', 'GET host', ['GET', 'GET', 'GET']],
  ['axios-retry', 'GET host', ['GET', 'GET', 'GET']],
  ['undici', 'GET host', ['GET', 'GET', 'GET']],
  ['aws-sdk', 'STS.GetCallerIdentity', ['POST', 'POST', 'POST']],
  ['kafkajs', 'kafkajs', ['request 0', 'request 1', 'request 2']],
] as const;

describe.each(RETRYING)('%s', (library, operation, requests) => {
  it.each([
    ['patched', 'import'],
    ['registered', 'import'],
    ['registered', 'require'],
  ] as const)('shows a call with a span for each attempt, and the work inside it (%s, %s)', async (mode, how) => {
    const { spans, stderr } = await runChild(library, mode, how);
    expect(tree(spans['succeeds after retries'] ?? [])).toEqual([
      `retry ${operation} attempts=3 outcome=success_after_retry`,
      `  attempt ${operation} attempt=1 next=retry failed`,
      `    ${requests[0]}`,
      `  attempt ${operation} attempt=2 next=retry failed`,
      `    ${requests[1]}`,
      `  attempt ${operation} attempt=3`,
      `    ${requests[2]}`,
    ]);
    expect(stderr).toBe('');
  });

  it('shows why it gave up', async () => {
    const { spans } = await runChild(library, 'patched', 'import');
    const [call, ...attempts] = tree(spans['exhausts its attempts'] ?? []).filter(text =>
      /(retry|attempt) /.test(text),
    );
    expect(call).toContain('attempts=3 outcome=attempts_exhausted failed');
    expect(attempts.map(text => /next=\w+/.exec(text)?.[0])).toEqual([
      'next=retry',
      'next=retry',
      'next=attempts_exhausted',
    ]);
  });

  it('shows nothing of calls that may not retry', async () => {
    const { spans } = await runChild(library, 'patched', 'import');
    const names = (spans['may not retry'] ?? spans['has an interceptor that may not retry'] ?? []).map(
      ({ name }) => name,
    );
    expect(names.filter(name => /^(retry|attempt) /.test(name))).toEqual([]);
  });

  it('counts calls, attempts and retries', async () => {
    const { metrics, spans } = await runChild(library, 'patched', 'import');
    const total = (family: string) =>
      Object.entries(metrics).reduce((sum, [name, value]) => (name.startsWith(`${family}{`) ? sum + value : sum), 0);
    const all = Object.values(spans).flat();
    const of = (prefix: string) => all.filter(({ name }) => name.startsWith(prefix));
    expect(total('retry_calls_total')).toBe(of('retry ').length);
    expect(total('retry_attempts_total')).toBe(of('attempt ').length);
    expect(total('retry_retries_total')).toBe(
      of('attempt ').filter(({ attributes }) => attributes['retry.next'] === 'retry').length,
    );
  });
});

describe('the delays', () => {
  it.each([
    ['p-retry', 0.004, 0.008],
    ['async-retry', 0.004, 0.008],
    ['retry', 0.004, 0.008],
    ['cockatiel', 0.004, 0.004],
  ])('are those that %s has told', async (library, first, second) => {
    const { spans } = await runChild(library, 'patched', 'import');
    const attempts = (spans['succeeds after retries'] ?? []).filter(({ name }) => name.startsWith('attempt '));
    expect(attempts.map(({ attributes }) => attributes['retry.delay'])).toEqual([0, first, second]);
    expect(attempts.map(({ attributes }) => attributes['retry.next_delay'])).toEqual([first, second, undefined]);
  });

  it.each(['exponential-backoff', 'kafkajs', 'axios-retry', 'undici', 'aws-sdk'])(
    'of %s are measured',
    async library => {
      const { spans } = await runChild(library, 'patched', 'import');
      const attempts = (spans['succeeds after retries'] ?? []).filter(({ name }) => name.startsWith('attempt '));
      const delays = attempts.slice(1).map(({ attributes }) => attributes['retry.delay'] as number);
      expect(delays.every(delay => delay > 0.0005 && delay < 10)).toBe(true);
    },
  );
});

describe('the reason why a library stopped', () => {
  it.each([
    ['p-retry', 'is told to stop', 'not_retryable'],
    ['p-retry', 'does not want a retry', 'not_retryable'],
    ['p-retry', 'is aborted while it waits', 'aborted'],
    ['p-retry', 'runs out of time', 'deadline_exceeded'],
    ['async-retry', 'bails', 'not_retryable'],
    ['async-retry', 'runs out of time', 'deadline_exceeded'],
    ['retry', 'runs out of time', 'deadline_exceeded'],
    ['retry', 'is stopped', 'not_retryable'],
    ['cockatiel', 'does not handle an error', 'not_retryable'],
    ['cockatiel', 'is aborted in an attempt', 'aborted'],
    ['cockatiel', 'gives back a refused result', 'attempts_exhausted'],
    ['got', 'is aborted while it waits', 'aborted'],
    ['got', 'does not throw for a status', 'attempts_exhausted'],
    ['axios-retry', 'is aborted while it waits', 'aborted'],
    ['axios-retry', 'has an error that is not retried', 'not_retryable'],
    ['undici', 'is aborted while it waits', 'aborted'],
    ['undici', 'does not retry a POST', 'not_retryable'],
    ['aws-sdk', 'has an error that is not retried', 'not_retryable'],
    ['aws-sdk', 'is aborted in an attempt', 'aborted'],
    ['kafkajs', 'bails', 'not_retryable'],
    ['ioredis', 'gives up', 'attempts_exhausted'],
    ['ioredis', 'is disconnected while it waits', 'aborted'],
    ['opossum', 'is opened by hand', 'circuit_open'],
    ['opossum', 'takes too long', 'deadline_exceeded'],
  ])('%s: %s', async (library, scenario, reason) => {
    const { spans } = await runChild(library, 'patched', 'import');
    const calls = (spans[scenario] ?? []).filter(({ name }) => name.startsWith('retry '));
    expect(calls.map(({ attributes }) => attributes['retry.outcome'])).toEqual([reason]);
  });
});

describe('ioredis', () => {
  it('shows a connection from the first try to the one that is ready', async () => {
    const { spans } = await runChild('ioredis', 'registered', 'import');
    const connecting = (scenario: string) => tree(spans[scenario] ?? []).filter(text => text.includes('ioredis'));
    expect(connecting('connects after retries')).toEqual([
      'retry ioredis connect attempts=3 outcome=success_after_retry',
      '  attempt ioredis connect attempt=1 next=retry failed',
      '  attempt ioredis connect attempt=2 next=retry failed',
      '  attempt ioredis connect attempt=3',
    ]);
  });

  it('shows a connection that comes back as a trace of its own, not as a part of the first use', async () => {
    const { spans } = await runChild('ioredis', 'patched', 'import');
    expect(tree(spans['loses its connection'] ?? [])).toEqual([
      'retry ioredis connect attempts=1 outcome=success',
      '  attempt ioredis connect attempt=1',
      'retry ioredis connect attempts=2 outcome=success_after_retry',
      '  attempt ioredis connect attempt=1 next=retry failed',
      '  attempt ioredis connect attempt=2',
    ]);
  });
});

describe('opossum', () => {
  it('shows a call as one attempt, and a call that the open circuit rejects as none', async () => {
    const { spans } = await runChild('opossum', 'registered', 'require');
    expect(tree(spans.fails ?? [])).toEqual([
      'retry down attempts=1 outcome=attempts_exhausted failed',
      '  attempt down attempt=1 next=attempts_exhausted failed',
      'retry down attempts=0 outcome=circuit_open failed',
    ]);
  });

  it('shows its state and changes of state as those of our own breakers', async () => {
    const { metrics } = await runChild('opossum', 'patched', 'import');
    const of = (breaker: string) =>
      Object.fromEntries(
        Object.entries(metrics).filter(
          ([name]) => name.startsWith('circuit_breaker') && name.includes(`breaker=${breaker},`),
        ),
      );
    expect(of('ledger')).toEqual({
      'circuit_breaker_state{breaker=ledger,state=closed}': 1,
      'circuit_breaker_transitions_total{breaker=ledger,to=closed}': 1,
      'circuit_breaker_transitions_total{breaker=ledger,to=open}': 1,
      'circuit_breaker_transitions_total{breaker=ledger,to=half_open}': 1,
      'circuit_breaker_calls_total{breaker=ledger,result=success}': 1,
      'circuit_breaker_calls_total{breaker=ledger,result=failure}': 1,
      'circuit_breaker_calls_total{breaker=ledger,result=rejected}': 1,
    });
    expect(of('down')).toMatchObject({ 'circuit_breaker_state{breaker=down,state=open}': 1 });
    expect(of('gone')).toEqual({});
  });
});

describe('undici', () => {
  it('shows one retrying dispatcher inside another as calls inside attempts', async () => {
    const { spans } = await runChild('undici', 'patched', 'require');
    const calls = tree(spans['has one inside the other'] ?? []).filter(text => text.includes('retry GET'));
    expect(calls).toEqual([
      'retry GET host attempts=2 outcome=success_after_retry',
      '    retry GET host attempts=2 outcome=attempts_exhausted failed',
      '    retry GET host attempts=2 outcome=success_after_retry',
    ]);
  });
});

describe('secrets', () => {
  it.each(['got', 'axios-retry', 'undici', 'aws-sdk'])(
    'of a request through %s are in no span and no metric',
    async library => {
      const { spans, metrics } = await runChild(library, 'patched', 'import');
      const own = Object.values(spans).flatMap(each => each.filter(({ name }) => /^(retry|attempt) /.test(name)));
      expect(own.length).toBeGreaterThan(5);
      expect(JSON.stringify([own, metrics])).not.toContain('planted');
    },
  );
});
