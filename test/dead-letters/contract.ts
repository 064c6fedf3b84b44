import type { DeadLetterStore, FurtherFailure } from '../../src/recovery/dead-letters/dead-letter-store.ts';
import { DeadLetterStoreFullError } from '../../src/recovery/dead-letters/dead-letter-store.ts';
import {
  DeadLetterQueue,
  defineOperation,
  type OperationContext,
  OperationRegistry,
  redrive,
} from '../../src/recovery/dead-letters/index.ts';
import { type DeadLetter, MAX_HISTORY } from '../../src/recovery/dead-letters/letter.ts';
import type { Retention } from '../../src/recovery/dead-letters/retention.ts';
import { letterWith } from './support/letters.ts';

/** What a store has to bring to be asked the contract. Each opens one that is empty. */
export interface StoreUnderTest {
  open(retention?: Retention): Promise<DeadLetterStore>;
  /** Lets time pass for the store: on its fake clock, or really. */
  advance(ms: number): Promise<void>;
  /** Milliseconds since 1970 for the store. */
  now(): number;
  /**
   * The shortest lease that the store can tell from a longer one, in milliseconds: small where time is real. A machine that
   * is too busy to look within it is given longer ones.
   */
  readonly tick: number;
}

/** What every store of dead letters has to do. */
export function describeStore(name: string, makeStore: () => StoreUnderTest): void {
  describe(`the contract of stores: ${name}`, () => {
    let under: StoreUnderTest;
    let store: DeadLetterStore;

    beforeEach(async () => {
      under = makeStore();
      store = await under.open();
    });
    afterEach(async () => {
      await store.close();
    });

    /** Puts letters that died one millisecond after another, the last one now. */
    const putAll = async (count: number, own: Partial<DeadLetter> = {}): Promise<DeadLetter[]> => {
      const letters = Array.from({ length: count }, (_, i) =>
        letterWith({ diedAt: under.now() - count + 1 + i, ...own }),
      );
      for (const letter of letters) await store.put(letter);
      return letters;
    };
    const failureWith = (own: Partial<FurtherFailure> = {}): FurtherFailure => ({
      error: { type: 'ETIMEDOUT', message: 'too slow' },
      reason: 'deadline_exceeded',
      failedAt: under.now() + 5,
      attempts: 2,
      history: [{ startedAt: under.now(), delayMs: 0, errorType: 'ETIMEDOUT', redrive: 1 }],
      quarantineAfter: 5,
      ...own,
    });
    const claimOne = async (owner = 'a'): Promise<{ letter: DeadLetter; token: string }> => {
      const [claim] = await store.claim(1, {}, owner, 60_000);
      if (claim === undefined) throw new Error('nothing to claim');
      return claim;
    };
    /**
     * Claims a letter for a short time, in which nobody else is given it. Where the answers took longer than that, they tell
     * nothing: then it is done again with another letter, for longer.
     */
    const claimShortly = async (): Promise<{ id: string; leaseMs: number }> => {
      for (let leaseMs = under.tick; ; leaseMs *= 2) {
        const [letter] = await putAll(1);
        const claimedAt = under.now();
        expect(await store.claim(1, {}, 'a', leaseMs)).toHaveLength(1);
        const others = await store.claim(1, {}, 'b', 60_000);
        if (under.now() - claimedAt < leaseMs) {
          expect(others).toEqual([]);
          return { id: letter?.id as string, leaseMs };
        }
        for (const claim of others) await store.complete(claim.letter.id, claim.token);
        await under.advance(leaseMs + 1);
        await store.purge({});
      }
    };
    const idsOf = (letters: readonly { readonly id: string }[]): string[] => letters.map(({ id }) => id);

    describe('put and get', () => {
      it('gives back what was put', async () => {
        const letter = letterWith({
          diedAt: under.now(),
          trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
          source: { topic: 'orders', partition: 3, offset: '9007199254740993' },
        });
        expect(await store.put(letter)).toEqual({ outcome: 'stored', evicted: 0 });
        expect(await store.get(letter.id)).toEqual(letter);
      });

      it('knows nothing of an id that was never put', async () => {
        expect(await store.get('nothing')).toBeUndefined();
      });

      it('leaves a letter as it is that is put again', async () => {
        const [letter] = await putAll(1);
        const claim = await claimOne();
        expect(await store.put(letter as DeadLetter)).toEqual({ outcome: 'present', evicted: 0 });
        expect((await store.get(claim.letter.id))?.state.is).toBe('claimed');
        expect((await store.stats()).letters).toBe(1);
      });

      it.each([
        ['quotes and semicolons', `'); DROP TABLE letters; --`],
        ['keys of Redis and of prototypes', '__proto__'],
        ['a line feed and a null character', 'a\nb\u0000c'],
        ['other scripts', 'Zahlung 支払い 💳'],
        ['percent and underscore', '%_[a]*?'],
      ])('keeps names with %s apart, and as they are', async (_, hostile) => {
        const letter = letterWith({
          diedAt: under.now(),
          queue: hostile,
          operation: hostile,
          idempotencyKey: hostile,
          error: { type: hostile, message: hostile },
        });
        await putAll(2);
        await store.put(letter);
        expect(await store.get(letter.id)).toEqual(letter);
        for (const filter of [{ queue: hostile }, { operations: [hostile] }, { errorType: hostile }]) {
          expect(idsOf((await store.list(filter)).letters)).toEqual([letter.id]);
        }
        expect(await store.purge({ operations: [hostile] })).toBe(1);
        expect((await store.stats()).letters).toBe(2);
      });

      it('keeps a payload of 256 KiB', async () => {
        const json = JSON.stringify(['"\\'.repeat(2 ** 16)]);
        const letter = letterWith({
          diedAt: under.now(),
          payload: { kind: 'plain', json, version: 1, bytes: json.length, altered: [] },
        });
        await store.put(letter);
        expect((await store.get(letter.id))?.payload).toEqual(letter.payload);
      });
    });

    describe('list', () => {
      it('gives the oldest first, a page at a time, each letter once', async () => {
        const letters = await putAll(7);
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await store.list({}, { limit: 3, ...(after === undefined ? {} : { after }) });
          seen.push(...idsOf(page.letters));
          after = page.next;
        } while (after !== undefined);
        expect(seen).toEqual(idsOf(letters));
      });

      it('orders letters of the same millisecond by their id, over pages too', async () => {
        const letters = await putAll(5, { diedAt: under.now() });
        const first = await store.list({}, { limit: 2 });
        const second = await store.list({}, { limit: 10, after: first.next as string });
        expect([...idsOf(first.letters), ...idsOf(second.letters)]).toEqual(idsOf(letters).sort());
      });

      it('finds by operation, type of error, reason, queue, id and age, and by all of them together', async () => {
        const now = under.now();
        const wanted = letterWith({
          diedAt: now - 600_000,
          operation: 'ship',
          reason: 'circuit_open',
          queue: 'parcels',
          error: { type: 'E1', message: '' },
        });
        const others = [
          letterWith({ diedAt: now - 600_000 }),
          letterWith({ diedAt: now - 600_000, operation: 'ship' }),
          letterWith({
            diedAt: now,
            operation: 'ship',
            reason: 'circuit_open',
            queue: 'parcels',
            error: { type: 'E1', message: '' },
          }),
        ];
        for (const letter of [wanted, ...others]) await store.put(letter);
        const found = async (filter: Parameters<DeadLetterStore['list']>[0]): Promise<number> =>
          (await store.list(filter)).letters.length;
        expect(await found({ operations: ['ship'] })).toBe(3);
        expect(await found({ operations: ['ship', 'charge_card'] })).toBe(4);
        expect(await found({ operations: [] })).toBe(0);
        expect(await found({ errorType: 'E1' })).toBe(2);
        expect(await found({ reason: 'circuit_open' })).toBe(2);
        expect(await found({ queue: 'parcels' })).toBe(2);
        expect(await found({ ids: [wanted.id, 'nothing'] })).toBe(1);
        expect(await found({ ids: [] })).toBe(0);
        expect(await found({ minAgeMs: 300_000 })).toBe(3);
        expect(await found({ maxAgeMs: 300_000 })).toBe(1);
        const all = await store.list({
          operations: ['ship'],
          errorType: 'E1',
          reason: 'circuit_open',
          queue: 'parcels',
          minAgeMs: 300_000,
          states: ['dead'],
        });
        expect(idsOf(all.letters)).toEqual([wanted.id]);
      });

      it('finds by state', async () => {
        await putAll(4);
        const claims = await store.claim(3, {}, 'a', 60_000);
        const [first, second] = claims as [(typeof claims)[0], (typeof claims)[0]];
        await store.complete(first.letter.id, first.token);
        await store.quarantine(second.letter.id, second.token, 'poison');
        for (const state of ['dead', 'claimed', 'redriven', 'quarantined'] as const) {
          expect((await store.list({ states: [state] })).letters.map(letter => letter.state.is)).toEqual([state]);
        }
        expect((await store.list({ states: ['dead', 'claimed'] })).letters).toHaveLength(2);
        expect((await store.list({ states: [] })).letters).toEqual([]);
      });

      it.each([
        [{ operation: 'ship' }, {}, /operation.*operations/],
        [{ states: ['alive'] }, {}, /states\[0\]/],
        [{ minAgeMs: -1 }, {}, /minAgeMs is -1/],
        [{ reason: 'bored' }, {}, /reason/],
        [{}, { limit: 0 }, /limit is 0/],
        [{}, { limit: 1001 }, /limit is 1001/],
        [{}, { after: 'x' }, /after/],
      ])('refuses %j %j', async (filter, page, message) => {
        await expect(store.list(filter as never, page)).rejects.toThrow(message);
      });
    });

    describe('claim', () => {
      it('gives the oldest first, and to nobody else', async () => {
        const letters = await putAll(5);
        const mine = await store.claim(2, {}, 'a', 60_000);
        const yours = await store.claim(10, {}, 'b', 60_000);
        expect(idsOf(mine.map(({ letter }) => letter))).toEqual(idsOf(letters.slice(0, 2)));
        expect(idsOf(yours.map(({ letter }) => letter))).toEqual(idsOf(letters.slice(2)));
        expect(await store.claim(10, {}, 'c', 60_000)).toEqual([]);
        expect(mine[0]?.letter.state).toMatchObject({ is: 'claimed', owner: 'a' });
      });

      it('gives only what fits', async () => {
        await putAll(2);
        const [wanted] = await putAll(1, { operation: 'ship' });
        const claims = await store.claim(10, { operations: ['ship'], queue: 'payments' }, 'a', 60_000);
        expect(claims.map(({ letter }) => letter.id)).toEqual([wanted?.id]);
      });

      it('gives each letter to one of many that ask at the same time', async () => {
        const letters = await putAll(20);
        const all = await Promise.all(Array.from({ length: 8 }, (_, i) => store.claim(3, {}, `owner ${i}`, 60_000)));
        const ids = all.flat().map(({ letter }) => letter.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toHaveLength(letters.length);
      });

      it('ends with its lease: then the letter is dead, and another one may have it', async () => {
        const { id, leaseMs } = await claimShortly();
        await under.advance(leaseMs + 1);
        expect((await store.list({ states: ['dead'] })).letters).toHaveLength(1);
        expect((await store.get(id))?.state).toEqual({ is: 'dead' });
        expect((await store.stats()).queues[0]).toMatchObject({ dead: 1, claimed: 0 });
        expect(await store.claim(1, {}, 'b', 60_000)).toHaveLength(1);
      });

      it('of somebody else is out of reach of the one who lost it', async () => {
        await putAll(1);
        const lost = (await store.claim(1, {}, 'a', under.tick))[0] as { letter: DeadLetter; token: string };
        await under.advance(under.tick + 1);
        const { letter, token } = await claimOne('b');
        expect(await store.complete(letter.id, lost.token)).toBe(false);
        expect(await store.failAgain(letter.id, lost.token, failureWith())).toBeUndefined();
        expect(await store.quarantine(letter.id, lost.token, 'why')).toBe(false);
        expect(await store.release(letter.id, lost.token)).toBe(false);
        expect(await store.renew(letter.id, lost.token, 60_000)).toBe(false);
        expect((await store.get(letter.id))?.state).toMatchObject({ is: 'claimed', owner: 'b' });
        expect(await store.complete(letter.id, token)).toBe(true);
      });

      it('may be used late as long as nobody else has the letter', async () => {
        await putAll(1);
        const { letter, token } = (await store.claim(1, {}, 'a', under.tick))[0] as {
          letter: DeadLetter;
          token: string;
        };
        await under.advance(under.tick + 1);
        expect(await store.complete(letter.id, token)).toBe(true);
      });

      it('is held longer by renewing', async () => {
        await putAll(1);
        const { letter, token } = (await store.claim(1, {}, 'a', under.tick))[0] as {
          letter: DeadLetter;
          token: string;
        };
        expect(await store.renew(letter.id, token, 60_000)).toBe(true);
        await under.advance(under.tick + 1);
        expect(await store.claim(1, {}, 'b', 60_000)).toEqual([]);
      });

      it('is over after release, and the letter untouched; but the same owner is not given it again', async () => {
        const [before] = await putAll(1);
        const { letter, token } = await claimOne('a');
        expect(await store.release(letter.id, token)).toBe(true);
        expect(await store.get(letter.id)).toEqual(before);
        expect(await store.release(letter.id, token)).toBe(false);
        expect(await store.claim(1, {}, 'a', 60_000)).toEqual([]);
        expect(await store.claim(1, {}, 'b', 60_000)).toHaveLength(1);
      });

      it.each([
        ['given back', 'release'],
        ['failed', 'failAgain'],
      ] as const)(
        'never gives a letter that was %s to the same owner again, whatever others did with it',
        async (_, how) => {
          const [old] = await putAll(2);
          const owners = ['a', 'b', 'c'];
          for (const [i, owner] of owners.entries()) {
            const { letter, token } = await claimOne(owner);
            expect(letter.id).toBe(old?.id);
            if (how === 'release') expect(await store.release(letter.id, token)).toBe(true);
            else expect(await store.failAgain(letter.id, token, failureWith())).toBe('dead');
            for (const known of owners.slice(0, i + 1)) {
              expect(await store.claim(10, { ids: [letter.id] }, known, 60_000)).toEqual([]);
            }
          }
          expect((await claimOne('d')).letter.id).toBe(old?.id);
        },
      );

      it('never gives a letter back to one whose lease ended, whatever others did with it', async () => {
        await putAll(1);
        for (const owner of ['a', 'b']) {
          expect(await store.claim(1, {}, owner, under.tick)).toHaveLength(1);
          await under.advance(under.tick + 1);
        }
        expect(await store.claim(1, {}, 'a', 60_000)).toEqual([]);
        expect(await store.claim(1, {}, 'b', 60_000)).toEqual([]);
        expect(await store.claim(1, {}, 'c', 60_000)).toHaveLength(1);
      });

      it.each([2, 3])(
        'gives a letter that always fails once to each of %i redrives at once, and all of them end',
        async runs => {
          const letters = await putAll(100);
          const failing = new Set(letters.filter((_, i) => i % 10 === 0).map(({ idempotencyKey }) => idempotencyKey));
          const registry = new OperationRegistry();
          const queue = new DeadLetterQueue({ name: 'payments', store });
          const charge = async function (this: OperationContext): Promise<void> {
            if (failing.has(this.idempotencyKey)) throw new Error('poison');
          };
          defineOperation('charge_card', charge, { registry, maxAttempts: 1 });
          const turns: string[] = [];
          const reports = await Promise.all(
            Array.from({ length: runs }, (_, i) =>
              redrive(queue, {
                registry,
                stopAtFailureRate: Infinity,
                onLetter: ({ id }) => void turns.push(`${i} ${id}`),
              }),
            ),
          );
          expect(reports.map(({ stopped }) => stopped)).toEqual(Array(runs).fill('done'));
          expect(new Set(turns).size).toBe(turns.length);
          expect((await store.stats()).queues[0]).toMatchObject({ redriven: 90, dead: 10, claimed: 0, quarantined: 0 });
        },
      );

      it('remembers the last 16 owners of a letter, whatever their names', async () => {
        const names = [
          '%',
          '_',
          ' ',
          'a b',
          'a',
          'A',
          "'",
          '\\',
          '\u0000',
          '{"a":1}',
          'é',
          '支',
          'x'.repeat(200),
          '-',
          '0',
          '1',
        ];
        await putAll(1);
        for (const owner of names) {
          const { letter, token } = await claimOne(owner);
          await store.release(letter.id, token);
        }
        for (const owner of names) expect(await store.claim(1, {}, owner, 60_000)).toEqual([]);
        const { letter, token } = await claimOne('the 17th');
        await store.release(letter.id, token);
        for (const owner of names.slice(1)) expect(await store.claim(1, {}, owner, 60_000)).toEqual([]);
        expect(await store.claim(1, {}, '%', 60_000)).toHaveLength(1);
      });

      it('needs the right token', async () => {
        await putAll(1);
        const { letter } = await claimOne();
        for (const token of ['', 'null', 'undefined', letter.id])
          expect(await store.complete(letter.id, token)).toBe(false);
        expect(await store.complete('nothing', 'token')).toBe(false);
      });

      it.each([
        [0, 'a', 1000, /count is 0/],
        [1.5, 'a', 1000, /count is 1.5/],
        [1, '', 1000, /owner is ""/],
        [1, 'a', 0, /leaseMs is 0/],
      ])('refuses count %p, owner %p, lease %p', async (count, owner, leaseMs, message) => {
        await expect(store.claim(count, {}, owner, leaseMs)).rejects.toThrow(message);
      });
    });

    describe('complete', () => {
      it('leaves a record without the payload, which nobody is given again', async () => {
        await putAll(1);
        const { letter, token } = await claimOne();
        expect(await store.complete(letter.id, token)).toBe(true);
        const record = await store.get(letter.id);
        expect(record).toMatchObject({
          redrives: 1,
          state: { is: 'redriven' },
          payload: { kind: 'omitted', why: 'redriven' },
        });
        expect(record?.history).toEqual(letter.history);
        expect(await store.claim(1, {}, 'b', 60_000)).toEqual([]);
        expect(await store.complete(letter.id, token)).toBe(false);
      });
    });

    describe('failAgain', () => {
      it('adds what happened to the letter, which waits for the next owner', async () => {
        const [before] = await putAll(1);
        const { letter, token } = await claimOne('a');
        const failure = failureWith();
        expect(await store.failAgain(letter.id, token, failure)).toBe('dead');
        expect(await store.get(letter.id)).toEqual({
          ...before,
          error: failure.error,
          reason: 'deadline_exceeded',
          attempts: 5,
          history: [...(before?.history ?? []), ...failure.history],
          lastFailedAt: failure.failedAt,
          redrives: 1,
          state: { is: 'dead' },
        });
        expect(idsOf((await store.list({ errorType: 'ETIMEDOUT', reason: 'deadline_exceeded' })).letters)).toEqual([
          letter.id,
        ]);
        expect(await store.claim(1, {}, 'a', 60_000)).toEqual([]);
        expect(await store.claim(1, {}, 'b', 60_000)).toHaveLength(1);
      });

      it('quarantines what failed too often, and nobody is given that', async () => {
        await putAll(1);
        for (const [owner, expected] of [
          ['a', 'dead'],
          ['b', 'dead'],
          ['c', 'quarantined'],
        ] as const) {
          const { letter, token } = await claimOne(owner);
          expect(await store.failAgain(letter.id, token, failureWith({ quarantineAfter: 3 }))).toBe(expected);
        }
        expect(await store.claim(1, {}, 'd', 60_000)).toEqual([]);
        expect((await store.list()).letters[0]?.state).toMatchObject({ is: 'quarantined', why: '3 redrives failed' });
      });

      it('bounds the history, and keeps its beginning', async () => {
        const [before] = await putAll(1);
        const { letter, token } = await claimOne();
        const history = Array.from({ length: 3 * MAX_HISTORY }, (_, i) => ({
          startedAt: i,
          delayMs: 0,
          errorType: 'E',
          redrive: 1,
        }));
        await store.failAgain(letter.id, token, failureWith({ history }));
        const after = await store.get(letter.id);
        expect(after?.history).toHaveLength(MAX_HISTORY);
        expect(after?.history[0]).toEqual(before?.history[0]);
        expect(after?.history.at(-1)).toEqual(history.at(-1));
      });
    });

    describe('quarantine and revive', () => {
      it('puts a letter aside with a reason, and back with its redrives counted anew', async () => {
        await putAll(2);
        const { letter, token } = await claimOne();
        await store.failAgain(letter.id, token, failureWith({ quarantineAfter: 1 }));
        expect(await store.revive({ errorType: 'nothing' })).toBe(0);
        expect(await store.revive({})).toBe(1);
        expect(await store.get(letter.id)).toMatchObject({ redrives: 0, state: { is: 'dead' }, attempts: 5 });
        expect(await store.claim(5, {}, 'a', 60_000)).toHaveLength(2);
      });

      it('keeps the payload', async () => {
        await putAll(1);
        const { letter, token } = await claimOne();
        expect(await store.quarantine(letter.id, token, 'x'.repeat(5000))).toBe(true);
        const after = await store.get(letter.id);
        expect(after?.payload).toEqual(letter.payload);
        expect(after?.state).toMatchObject({ is: 'quarantined', why: 'x'.repeat(200) });
      });
    });

    describe('purge', () => {
      it('deletes what fits, but for what somebody works on', async () => {
        await putAll(3);
        await putAll(2, { operation: 'ship' });
        const { letter } = await claimOne();
        expect(await store.purge({ operations: ['ship'] })).toBe(2);
        expect(await store.purge({})).toBe(2);
        expect(idsOf((await store.list()).letters)).toEqual([letter.id]);
      });

      it('deletes by state', async () => {
        await putAll(2);
        const { letter, token } = await claimOne();
        await store.complete(letter.id, token);
        expect(await store.purge({ states: ['redriven'] })).toBe(1);
        expect((await store.stats()).queues[0]).toMatchObject({ dead: 1, redriven: 0 });
      });
    });

    describe('retention', () => {
      it('deletes what is too old, at the next letter and when it is told, and says how many', async () => {
        await store.close();
        store = await under.open({ maxAgeMs: 86_400_000 });
        const old = { diedAt: under.now() - 86_400_001 };
        await store.put(letterWith({ diedAt: under.now() - 1000 }));
        for (let i = 0; i < 3; i++) await store.put(letterWith(old));
        // Each new letter takes away what is too old by then.
        expect((await store.stats()).letters).toBe(2);
        expect(await store.expire()).toBe(1);
        expect((await store.stats()).letters).toBe(1);
        await store.put(letterWith(old));
        expect(await store.put(letterWith({ diedAt: under.now() }))).toEqual({ outcome: 'stored', evicted: 1 });
      });

      it('never deletes what somebody works on', async () => {
        await store.close();
        store = await under.open({ maxAgeMs: 86_400_000, maxCount: 1, whenFull: 'drop-oldest' });
        await store.put(letterWith({ diedAt: under.now() - 86_400_001 }));
        await store.claim(1, {}, 'a', 60_000);
        expect(await store.expire()).toBe(0);
        await expect(store.put(letterWith({ diedAt: under.now() }))).rejects.toThrow(DeadLetterStoreFullError);
        expect((await store.stats()).letters).toBe(1);
      });

      it('refuses a new letter when the count is reached, and says which limit that is', async () => {
        await store.close();
        store = await under.open({ maxCount: 2 });
        await putAll(2);
        await expect(store.put(letterWith({ diedAt: under.now() }))).rejects.toMatchObject({
          code: 'ERR_DEAD_LETTER_STORE_FULL',
          message: expect.stringContaining('maxCount'),
        });
        expect((await store.stats()).letters).toBe(2);
      });

      it('refuses a new letter when the bytes are reached', async () => {
        await store.close();
        store = await under.open({ maxBytes: 2048 });
        await store.put(letterWith({ diedAt: under.now() }));
        const json = JSON.stringify(['x'.repeat(2048)]);
        const large = letterWith({
          diedAt: under.now(),
          payload: { kind: 'plain', json, version: 1, bytes: json.length, altered: [] },
        });
        await expect(store.put(large)).rejects.toThrow(/maxBytes/);
      });

      it('drops the oldest where that was asked for, and says how many', async () => {
        await store.close();
        store = await under.open({ maxCount: 3, whenFull: 'drop-oldest' });
        const letters = await putAll(3);
        const next = letterWith({ diedAt: under.now() });
        expect(await store.put(next)).toEqual({ outcome: 'stored', evicted: 1 });
        expect(idsOf((await store.list()).letters)).toEqual([...idsOf(letters.slice(1)), next.id]);
      });

      it('drops as many as a large letter takes', async () => {
        await store.close();
        const maxBytes = 400_000;
        store = await under.open({ maxBytes, whenFull: 'drop-oldest' });
        await putAll(400);
        const { bytes } = await store.stats();
        expect(bytes).toBeLessThan(maxBytes);
        const json = JSON.stringify(['x'.repeat(maxBytes - Math.ceil(bytes / 20))]);
        const payload = { kind: 'plain', json, version: 1, bytes: json.length, altered: [] } as const;
        const large = letterWith({ diedAt: under.now(), payload });
        const { evicted } = await store.put(large);
        expect(evicted).toBeGreaterThan(350);
        const after = await store.stats();
        expect(after.bytes).toBeLessThanOrEqual(maxBytes);
        expect(after.letters).toBe(401 - evicted);
        expect(after.letters).toBeGreaterThan(1);
      });

      it('drops records of redrives first, without counting them, whatever was asked for', async () => {
        await store.close();
        store = await under.open({ maxCount: 2 });
        await putAll(2);
        const { letter, token } = await claimOne();
        await store.complete(letter.id, token);
        expect(await store.put(letterWith({ diedAt: under.now() }))).toEqual({ outcome: 'stored', evicted: 0 });
        expect(await store.get(letter.id)).toBeUndefined();
      });

      it('drops nothing for a letter that would never fit', async () => {
        await store.close();
        store = await under.open({ maxBytes: 4096, whenFull: 'drop-oldest' });
        await putAll(2);
        const json = JSON.stringify(['x'.repeat(8192)]);
        const huge = letterWith({
          diedAt: under.now(),
          payload: { kind: 'plain', json, version: 1, bytes: json.length, altered: [] },
        });
        await expect(store.put(huge)).rejects.toThrow(/maxBytes/);
        expect((await store.stats()).letters).toBe(2);
      });
    });

    describe('stats', () => {
      it('counts by queue and state, with bytes and the oldest that still waits', async () => {
        expect(await store.stats()).toEqual({ queues: [], letters: 0, bytes: 0 });
        const letters = await putAll(4);
        await putAll(1, { queue: 'parcels' });
        const [first] = await store.claim(2, { queue: 'payments' }, 'a', 60_000);
        await store.complete(first?.letter.id as string, first?.token as string);
        const stats = await store.stats();
        expect(stats.queues).toEqual([
          {
            queue: 'parcels',
            dead: 1,
            claimed: 0,
            redriven: 0,
            quarantined: 0,
            oldestDiedAt: expect.any(Number),
            bytes: expect.any(Number),
          },
          {
            queue: 'payments',
            dead: 2,
            claimed: 1,
            redriven: 1,
            quarantined: 0,
            oldestDiedAt: letters[1]?.diedAt,
            bytes: expect.any(Number),
          },
        ]);
        expect(stats.letters).toBe(5);
        expect(stats.bytes).toBe(stats.queues.reduce((sum, { bytes }) => sum + bytes, 0));
        await store.purge({ states: ['dead', 'redriven'] });
        await store.purge({});
        expect((await store.stats()).letters).toBe(1);
      });

      it('has no oldest where all that is left is done with or put aside', async () => {
        await putAll(1);
        const { letter, token } = await claimOne();
        await store.quarantine(letter.id, token, 'why');
        expect((await store.stats()).queues[0]?.oldestDiedAt).toBeUndefined();
      });
    });

    describe('close', () => {
      it('may be said twice, and after it every method rejects', async () => {
        await store.close();
        await store.close();
        await expect(store.put(letterWith())).rejects.toThrow(/closed/);
        await expect(store.get('x')).rejects.toThrow(/closed/);
        await expect(store.list()).rejects.toThrow(/closed/);
        await expect(store.claim(1, {}, 'a', 1000)).rejects.toThrow(/closed/);
        await expect(store.stats()).rejects.toThrow(/closed/);
      });

      it('is what `await using` does', async () => {
        let inside: DeadLetterStore;
        {
          await using used = store;
          inside = used;
        }
        await expect(inside.stats()).rejects.toThrow(/closed/);
      });
    });
  });
}
