import { createHash } from 'node:crypto';
import { setRedactor } from '../../src/engine/redact.ts';
import {
  type DeadLetter,
  DeadLetterQueue,
  type DeadLetterQueueOptions,
  defineOperation,
  MemoryDeadLetterStore,
  type OperationOptions,
  OperationRegistry,
  previewRedrive,
  redrive,
} from '../../src/recovery/dead-letters/index.ts';

type Order = { readonly id: number | string };

let store: MemoryDeadLetterStore;
let registry: OperationRegistry;
let isDown: boolean;
/** What a provider has carried out, by the key that came with it: of two requests with one key it takes the second for a repetition. */
let charged: Map<string, Order>;
beforeEach(() => {
  store = new MemoryDeadLetterStore();
  registry = new OperationRegistry();
  isDown = true;
  charged = new Map();
});
afterEach(() => setRedactor(undefined));

const queueWith = (own: Partial<DeadLetterQueueOptions> = {}): DeadLetterQueue =>
  new DeadLetterQueue({ name: 'payments', store, ...own });

function chargeBy(deadLetter: DeadLetterQueue, own: OperationOptions<[Order]> = {}) {
  return defineOperation(
    'charge',
    function (this: { readonly idempotencyKey: string }, order: Order) {
      if (isDown) throw new Error('down');
      if (!charged.has(this.idempotencyKey)) charged.set(this.idempotencyKey, order);
    },
    { registry, maxAttempts: 1, deadLetter, idempotencyKey: ({ id }: Order) => `charge-${id}`, ...own },
  );
}

async function lettersOf(queue: DeadLetterQueue, ids: readonly Order['id'][], own: OperationOptions<[Order]> = {}) {
  const charge = chargeBy(queue, own);
  for (const id of ids) await expect(charge({ id })).rejects.toThrow('down');
  return (await store.list()).letters;
}

const digestOf = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const keysOf = (letters: readonly DeadLetter[]): string[] => letters.map(({ idempotencyKey }) => idempotencyKey).sort();

/** Thirteen digits that pass the check of card numbers. */
const CARDLIKE = [5432109870006, 5432109870014, 5432109870022];

describe('an idempotency key that looks like a secret', () => {
  it('stays as it is where nothing is redacted, and each call is carried out', async () => {
    const queue = queueWith({ redact: false });
    const letters = await lettersOf(queue, CARDLIKE);
    expect(keysOf(letters)).toEqual(CARDLIKE.map(id => `charge-${id}`));
    expect(letters.every(({ payload }) => payload.altered.length === 0)).toBe(true);
    isDown = false;
    expect((await redrive(queue, { registry })).results).toMatchObject({ redriven: 3, quarantined: 0 });
    expect([...charged.values()].map(({ id }) => id)).toEqual(CARDLIKE);
  });

  it('is a digest in the letter, another one for each key, and the letter is marked and quarantined', async () => {
    const queue = queueWith();
    const letters = await lettersOf(queue, [...CARDLIKE, 7]);
    expect(keysOf(letters)).toEqual(['charge-7', ...CARDLIKE.map(id => digestOf(`charge-${id}`))].sort());
    expect(letters.map(({ payload }) => payload.altered)).toEqual([...CARDLIKE.map(() => ['idempotency_key']), []]);
    isDown = false;
    expect((await previewRedrive(queue, { registry })).operations).toMatchObject([{ sendable: 1, impossible: 3 }]);
    expect((await redrive(queue, { registry })).results).toMatchObject({ redriven: 1, quarantined: 3 });
    expect([...charged.keys()]).toEqual(['charge-7']);
  });

  it('is sent as a digest where the operation restores its arguments, and each call is carried out', async () => {
    const queue = queueWith();
    const seen: unknown[] = [];
    await lettersOf(queue, CARDLIKE, {
      restore: (stored, { payload }) => {
        seen.push(payload.altered);
        return stored as [Order];
      },
    });
    isDown = false;
    expect((await redrive(queue, { registry })).results).toMatchObject({ redriven: 3, quarantined: 0 });
    expect([...charged].map(([key, { id }]) => [key, id])).toEqual(CARDLIKE.map(id => [digestOf(`charge-${id}`), id]));
    expect(seen).toEqual(CARDLIKE.map(() => ['idempotency_key']));
  });

  it('leaves nothing of it in the letter, by whichever redactor', async () => {
    setRedactor(text => text.replaceAll('emp-12', '***'));
    const letters = await lettersOf(queueWith({ redact: payload => payload }), [1], { idempotencyKey: () => 'emp-12' });
    setRedactor(undefined);
    const more = await lettersOf(queueWith(), [2], {
      registry: new OperationRegistry(),
      idempotencyKey: () => 'password=tr0ub4dor-planted',
    });
    expect(keysOf(letters)).toEqual([digestOf('emp-12')]);
    expect(JSON.stringify(more)).not.toContain('tr0ub4dor-planted');
  });

  it('is marked beside what else was altered', async () => {
    const [letter] = await lettersOf(queueWith(), ['4111111111111111']);
    expect(letter?.payload).toMatchObject({ json: '[{"id":"[redacted]"}]', altered: ['redacted', 'idempotency_key'] });
  });
});

describe('an idempotency key that is too long', () => {
  const long = (id: Order['id']): string => `${'k'.repeat(600)}-${id}`;
  const idempotencyKey = ({ id }: Order): string => long(id);

  it('is a digest, another one for each key', async () => {
    const letters = await lettersOf(queueWith(), [1, 2], { idempotencyKey });
    expect(keysOf(letters)).toEqual([digestOf(long(1)), digestOf(long(2))].sort());
    expect(letters.map(({ payload }) => payload.altered)).toEqual([['idempotency_key'], ['idempotency_key']]);
  });

  it('stays as it is where nothing is redacted, up to the size of a payload', async () => {
    const queue = queueWith({ redact: false, maxPayloadBytes: 1024 });
    expect(keysOf(await lettersOf(queue, [1], { idempotencyKey }))).toEqual([long(1)]);
    const { idempotencyKey: larger, payload } = await queue.letterFor({
      operation: 'charge',
      args: [],
      error: 1,
      idempotencyKey: 'k'.repeat(1025),
    });
    expect([larger, payload.altered]).toEqual([digestOf('k'.repeat(1025)), ['idempotency_key']]);
  });
});

it.each<[string, string]>([
  ['a UUID whose digits may be those of a card', 'a0eebc99-9c0b-4ef8-4111-111111111111'],
  ['512 characters', 'k'.repeat(512)],
  ['a digest', digestOf('x')],
])('an idempotency key that is %s stays as it is', async (_, key) => {
  const [letter] = await lettersOf(queueWith(), [1], { idempotencyKey: () => key });
  expect(letter).toMatchObject({ idempotencyKey: key, payload: { altered: [] } });
});

it('keys of halves of surrogate pairs stay two', async () => {
  const letters = await lettersOf(queueWith(), ['\ud800', '\ud801']);
  expect(new Set(keysOf(letters)).size).toBe(2);
  expect(letters.every(({ payload }) => payload.altered.includes('idempotency_key'))).toBe(true);
});
