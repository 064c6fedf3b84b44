import { trace } from '@opentelemetry/api';
import { flaky, type Note, type Subject } from '../support/scenario.ts';

interface Breaker {
  fire(...args: unknown[]): Promise<unknown>;
  call(context: unknown, ...args: unknown[]): Promise<unknown>;
  fallback(fn: unknown): Breaker;
  on(event: string, listener: (...args: unknown[]) => void): Breaker;
  open(): void;
  close(): void;
  disable(): void;
  shutdown(): void;
  listenerCount(event: string): number;
  eventNames(): (string | symbol)[];
  readonly name: string;
  readonly opened: boolean;
  readonly stats: Record<string, number>;
}

type Opossum = (new (
  action: unknown,
  options?: Record<string, unknown>,
) => Breaker) & {
  isOurError(error: unknown): boolean;
};

const EVENTS = [
  'fire',
  'success',
  'failure',
  'reject',
  'timeout',
  'open',
  'close',
  'halfOpen',
  'fallback',
  'semaphoreLocked',
  'cacheHit',
];

function listened(breaker: Breaker, note: Note): Breaker {
  for (const event of EVENTS) {
    breaker.on(event, (first: unknown) => note(event, first instanceof Error ? first.message : typeof first));
  }
  return breaker;
}

export const subject: Subject<{ readonly CircuitBreaker: Opossum }> = {
  load: async ({ load }) => {
    const exports = (await load('opossum')) as Opossum & { default?: Opossum };
    return { CircuitBreaker: exports.default ?? exports };
  },
  scenarios: {
    shape: ({ CircuitBreaker }, note) => {
      const breaker = new CircuitBreaker(async () => 1, { name: 'shape' });
      note('breaker', CircuitBreaker, breaker.fire, breaker.call, breaker.constructor === CircuitBreaker);
      note('events', breaker.eventNames(), breaker.listenerCount('open'), Object.keys(breaker));
      breaker.shutdown();
    },
    'succeeds at once': ({ CircuitBreaker }, note) =>
      listened(
        new CircuitBreaker(
          async function loadUser(id: number) {
            trace.getTracer('user').startSpan('request').end();
            return `user ${id}`;
          },
          { name: 'users' },
        ),
        note,
      ).fire(7),
    fails: async ({ CircuitBreaker }, note) => {
      const why = new Error('down');
      const breaker = listened(new CircuitBreaker(() => Promise.reject(why), { name: 'down' }), note);
      note('same error', (await breaker.fire().catch(error => error)) === why);
      return breaker.fire().catch((error: unknown) => note('own', CircuitBreaker.isOurError(error), error));
    },
    'opens and closes again': async ({ CircuitBreaker }, note) => {
      const work = flaky(1, note);
      const breaker = listened(new CircuitBreaker(work, { name: 'ledger', resetTimeout: 30 }), note);
      await breaker.fire().catch(() => undefined);
      await breaker.fire().catch((error: unknown) => note('rejected', error));
      await new Promise(resolve => setTimeout(resolve, 60));
      note('value', await breaker.fire());
    },
    'has a fallback': async ({ CircuitBreaker }, note) => {
      const breaker = listened(new CircuitBreaker(() => Promise.reject(new Error('down')), { name: 'rates' }), note);
      breaker.fallback(() => 'yesterday');
      note('values', await breaker.fire(), await breaker.fire());
    },
    'takes too long': ({ CircuitBreaker }, note) =>
      listened(new CircuitBreaker(() => new Promise(() => undefined), { name: 'slow', timeout: 10 }), note).fire(),
    'has no room': async ({ CircuitBreaker }, note) => {
      const breaker = listened(
        new CircuitBreaker(() => new Promise(resolve => setTimeout(resolve, 10, 'done')), { name: 'one', capacity: 1 }),
        note,
      );
      const settled = await Promise.allSettled([breaker.fire(), breaker.fire()]);
      note(
        'settled',
        settled.map(each => each.status),
      );
    },
    'has an error that counts as success': async ({ CircuitBreaker }, note) => {
      const breaker = listened(
        new CircuitBreaker(() => Promise.reject(new Error('not found')), { name: 'filter', errorFilter: () => true }),
        note,
      );
      return breaker.fire();
    },
    'throws at once': ({ CircuitBreaker }, note) =>
      listened(
        new CircuitBreaker(
          () => {
            throw new Error('at once');
          },
          { name: 'sync' },
        ),
        note,
      ).fire(),
    'is disabled': ({ CircuitBreaker }, note) => {
      const breaker = listened(
        new CircuitBreaker(
          () => {
            throw new Error('at once');
          },
          { name: 'off', enabled: false },
        ),
        note,
      );
      try {
        return breaker.fire();
      } catch (error) {
        note('thrown, not rejected', error);
      }
    },
    'has a cache': async ({ CircuitBreaker }, note) => {
      const breaker = listened(new CircuitBreaker(flaky(0, note), { name: 'cached', cache: true }), note);
      note('values', await breaker.fire(1), await breaker.fire(1));
    },
    'shares a call': async ({ CircuitBreaker }, note) => {
      const breaker = listened(new CircuitBreaker(flaky(0, note), { name: 'shared', coalesce: true }), note);
      note('values', await Promise.all([breaker.fire(1), breaker.fire(1)]));
    },
    'is called with another this': ({ CircuitBreaker }, note) =>
      new CircuitBreaker(
        async function (this: { name: string }, greeting: string) {
          note('called');
          return `${greeting} ${this.name}`;
        },
        { name: 'bound' },
      ).call({ name: 'ada' }, 'hello'),
    'is opened by hand': async ({ CircuitBreaker }, note) => {
      const breaker = listened(new CircuitBreaker(flaky(0, note), { name: 'manual' }), note);
      breaker.open();
      note('stats', breaker.stats.fires, breaker.opened);
      return breaker.fire();
    },
    'is shut down': ({ CircuitBreaker }, note) => {
      const breaker = listened(new CircuitBreaker(flaky(0, note), { name: 'gone' }), note);
      breaker.shutdown();
      return breaker.fire();
    },
    'leaves a rejection to the process': async ({ CircuitBreaker }, note) => {
      const unhandled = new Promise<unknown>(resolve => process.once('unhandledRejection', resolve));
      void new CircuitBreaker(() => Promise.reject(new Error('nobody listens')), { name: 'unheard' }).fire();
      note('unhandled', await unhandled);
    },
    "is a class of one's own": async ({ CircuitBreaker }, note) => {
      class Named extends CircuitBreaker {
        override fire(...args: unknown[]): Promise<unknown> {
          note('fire', ...args);
          return super.fire(...args);
        }
      }
      const breaker = new Named(flaky(0, note), { name: 'derived' });
      note('instance', breaker instanceof CircuitBreaker);
      return breaker.fire(3);
    },
  },
};
