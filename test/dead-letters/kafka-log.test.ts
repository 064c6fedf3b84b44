import fc from 'fast-check';
import { FakeClock } from 'retryscope/testing';
import { systemClock } from '../../src/engine/system-clock.ts';
import {
  type Claim,
  type DeadLetter,
  DeadLetterQueue,
  defineOperation,
  OperationRegistry,
} from '../../src/recovery/dead-letters/index.ts';
import {
  DeadLetterLogError,
  EVENT_HEADER,
  INDEX_HEADER,
  KafkaDeadLetterStore,
  type KafkaDeadLetterStoreOptions,
} from '../../src/recovery/dead-letters/kafka/index.ts';
import { eventOf } from '../../src/recovery/dead-letters/kafka/log-event.ts';
import { DEAD_LETTER_HEADERS as H } from '../../src/services/kafka/index.ts';
import { until } from '../redis/support/until.ts';
import { letterWith } from './support/letters.ts';
import { MemoryKafka } from './support/memory-log.ts';

const TOPIC = 'retryscope-dead-letters';
let clock: FakeClock;
let kafka: MemoryKafka;
let stores: KafkaDeadLetterStore[];
beforeEach(() => {
  clock = new FakeClock();
  kafka = new MemoryKafka();
  stores = [];
});
afterEach(() => Promise.all(stores.map(store => store.close())));

const open = (own: Partial<KafkaDeadLetterStoreOptions> = {}): KafkaDeadLetterStore => {
  const store = new KafkaDeadLetterStore({ log: kafka.client(), clock, ...own });
  stores.push(store);
  return store;
};
const letterNow = (own: Partial<DeadLetter> = {}): DeadLetter => letterWith({ diedAt: clock.wallNow(), ...own });
const failure = {
  error: { type: 'E', message: '' },
  reason: 'attempts_exhausted',
  failedAt: 1,
  attempts: 1,
  history: [],
  quarantineAfter: 100,
} as const;
const all = async (store: KafkaDeadLetterStore): Promise<readonly DeadLetter[]> =>
  (await store.list({}, { limit: 1000 })).letters;

describe('several stores on one log', () => {
  it('never give a letter to two owners, and come to the same, though each record is written twice', async () => {
    kafka.onAppend = async () => {
      for (let i = Math.random() * 4; i > 0; i--) await new Promise(resolve => setImmediate(resolve));
      return Math.random() < 0.5 ? 'twice' : undefined;
    };
    const letters = Array.from({ length: 60 }, () => letterNow());
    const several = [open(), open(), open(), open()];
    await Promise.all(letters.map((letter, i) => several[i % 4]?.put(letter)));
    const holders = new Map<string, string>();
    const completed: string[] = [];
    const work = async (store: KafkaDeadLetterStore, name: string): Promise<void> => {
      for (let run = 0; run < 200; run++) {
        const owner = `${name} ${run}`;
        const claims = await store.claim(1 + Math.floor(Math.random() * 5), {}, owner, 60_000);
        for (const { letter } of claims) {
          expect(holders.get(letter.id)).toBeUndefined();
          holders.set(letter.id, owner);
        }
        if (claims.length === 0 && (await store.stats()).queues.every(({ dead, claimed }) => dead + claimed === 0))
          return;
        await Promise.all(claims.map(claim => end(store, claim)));
      }
    };
    const end = async (store: KafkaDeadLetterStore, { letter: { id }, token }: Claim): Promise<void> => {
      holders.delete(id);
      const chance = Math.random();
      if (chance < 0.2) expect(await store.release(id, token)).toBe(true);
      else if (chance < 0.4) expect(await store.failAgain(id, token, failure)).toBe('dead');
      else if (await store.complete(id, token)) completed.push(id);
      expect(await store.complete(id, token)).toBe(false);
    };
    await Promise.all(several.map((store, i) => work(store, `owner ${i}`)));
    expect(completed.sort()).toEqual(letters.map(({ id }) => id).sort());
    const first = await all(several[0] as KafkaDeadLetterStore);
    expect(first.every(({ state }) => state.is === 'redriven')).toBe(true);
    for (const store of [...several, open()]) expect(await all(store)).toEqual(first);
  });

  it('of two claims of one letter the first in the log holds, and the other one changes nothing', async () => {
    const [a, b] = [open(), open()];
    await a.put(letterNow());
    await Promise.all([a.stats(), b.stats()]);
    const both = await Promise.all([a.claim(1, {}, 'a', 60_000), b.claim(1, {}, 'b', 60_000)]);
    expect(both.map(claims => claims.length).sort()).toEqual([0, 1]);
    expect(kafka.records(TOPIC).filter(({ headers }) => String(headers[EVENT_HEADER]) === 'claim')).toHaveLength(2);
  });

  it('a reader whose view is old takes the next letters instead', async () => {
    const [a, b] = [open(), open()];
    for (let i = 0; i < 4; i++) await a.put(letterNow());
    await b.stats();
    const both = await Promise.all([a.claim(2, {}, 'a', 60_000), b.claim(2, {}, 'b', 60_000)]);
    const ids = both.flat().map(({ letter }) => letter.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('what was purged, was changed meanwhile or is worked on stays as that is', async () => {
    const [a, b] = [open(), open()];
    await a.put(letterNow());
    await b.stats();
    const [claims, purged] = await Promise.all([a.claim(1, {}, 'a', 60_000), b.purge({})]);
    expect(claims.length + purged).toBe(1);
    expect((await a.stats()).letters).toBe(claims.length);
  });
});

describe('leases', () => {
  it('go by the time of the broker where that is in the log: a clock that is fast takes nothing early', async () => {
    kafka.brokerTime = () => clock.wallNow();
    const fast = new FakeClock();
    await fast.advance(3_600_000);
    await open().put(letterNow());
    expect(await open().claim(1, {}, 'a', 60_000)).toHaveLength(1);
    expect(await open({ clock: fast }).claim(1, {}, 'b', 60_000)).toEqual([]);
  });

  it('go by the clock of the writer otherwise: the one who loses the letter sees that', async () => {
    const fast = new FakeClock();
    await fast.advance(3_600_000);
    const [a, b] = [open(), open({ clock: fast })];
    await a.put(letterNow());
    const [lost] = (await a.claim(1, {}, 'a', 60_000)) as [Claim];
    expect(await b.claim(1, {}, 'b', 60_000)).toHaveLength(1);
    expect(await a.complete(lost.letter.id, lost.token)).toBe(false);
  });
});

describe('what Kafka may do', () => {
  it('an answer that got lost makes the put reject, and the next one finds the letter', async () => {
    const store = open();
    const letter = letterNow({ source: { topic: 'orders', partition: 1, offset: '7' } });
    kafka.onAppend = async () => 'lost' as const;
    await expect(store.put(letter)).rejects.toThrow('timed out');
    kafka.onAppend = () => undefined;
    expect((await open().put(letter)).outcome).toBe('present');
    expect((await store.put(letter)).outcome).toBe('present');
    expect((await store.stats()).letters).toBe(1);
    // The copy is made by the one who owes it.
    expect(kafka.records('orders-dlt')).toHaveLength(1);
  });

  it('a letter is stored once its record is, though nothing can be read; and it is not written again', async () => {
    const store = open({ clock: systemClock, timeoutMs: 200 });
    const letter = letterWith({ diedAt: Date.now() });
    kafka.isPaused = true;
    expect(await store.put(letter)).toEqual({ outcome: 'stored', evicted: 0 });
    expect(await store.put(letter)).toEqual({ outcome: 'present', evicted: 0 });
    expect(kafka.records(TOPIC)).toHaveLength(1);
    await store.put(letterWith({ diedAt: Date.now() }));
    await expect(store.claim(1, {}, 'a', 1000)).rejects.toMatchObject({ code: 'ERR_DEAD_LETTER_LOG', why: 'timeout' });
    kafka.isPaused = false;
    // A thread that stood still for the time of the store finds it run out before it has read anything.
    await until(async () => (await store.stats()).letters === 2);
  });

  it('a reader that gives up fails those who wait for it, and the next one goes on where it was', async () => {
    const log = kafka.client();
    const froms: bigint[][] = [];
    let fail = (_: Error): void => undefined;
    const store = open({
      log: {
        ...log,
        tail: async (topic, from, sink) => {
          froms.push([0, 1, 2].map(from));
          fail = error => sink.failed(error);
          return log.tail(topic, from, sink);
        },
      },
    });
    await store.put(letterNow());
    kafka.isPaused = true;
    const claim = store.claim(1, {}, 'a', 1000);
    // Some turns of the loop, after which the claim waits for the reader.
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
    fail(new Error('kicked out'));
    await expect(claim).rejects.toThrow('kicked out');
    kafka.isPaused = false;
    expect(await store.stats()).toMatchObject({ letters: 1 });
    expect(froms).toHaveLength(2);
    expect(froms[1]?.reduce((sum, offset) => sum + offset, 0n)).toBe(1n);
  });

  it('a limit that was lowered is come down to by letters that make more room than they take', async () => {
    const large = open();
    for (let i = 0; i < 300; i++) await large.put(letterNow());
    const store = open({ retention: { maxCount: 10, whenFull: 'drop-oldest' } });
    expect(await store.put(letterNow())).toEqual({ outcome: 'stored', evicted: 250 });
    expect(await store.put(letterNow())).toEqual({ outcome: 'stored', evicted: 42 });
    expect((await large.stats()).letters).toBe(10);
  });

  it('letters that cannot be deleted now keep no other letter out', async () => {
    const store = open({ clock: systemClock, timeoutMs: 200, retention: { maxCount: 1, whenFull: 'drop-oldest' } });
    await store.put(letterWith({ diedAt: Date.now() }));
    kafka.isPaused = true;
    expect(await store.put(letterWith({ diedAt: Date.now() }))).toEqual({ outcome: 'stored', evicted: 0 });
    kafka.isPaused = false;
    await until(async () => (await store.stats()).letters === 1);
  });

  it('letters whose records its retention has deleted are gone for all', async () => {
    kafka = new MemoryKafka(1);
    const store = open();
    const letters = [letterNow(), letterNow(), letterNow()];
    for (const letter of letters) await store.put(letter);
    kafka.lows.set(`${TOPIC} 0`, 2n);
    const left = letters.slice(2);
    for (const each of [store, open()]) expect(await all(each)).toEqual(left);
    kafka.lows.set(`${TOPIC} 0`, 3n);
    for (const each of [store, open()]) expect(await all(each)).toEqual([]);
  });

  it('a topic that was made anew is noticed', async () => {
    kafka = new MemoryKafka(1);
    const store = open();
    await store.put(letterNow());
    kafka.topics.delete(TOPIC);
    await expect(store.stats()).rejects.toMatchObject({ why: 'shorter' });
    await expect(store.stats()).rejects.toThrow(DeadLetterLogError);
  });

  it('a topic without partitions takes nothing', async () => {
    kafka.topics.set(TOPIC, []);
    await expect(open().put(letterNow())).rejects.toMatchObject({ why: 'no_partition' });
    await expect(open().stats()).rejects.toMatchObject({ why: 'no_partition' });
  });

  it('a letter that is too large for the broker waits in memory, and its line is written', async () => {
    const lines: string[] = [];
    kafka.onAppend = async (_, { value }) => {
      if (value.length < 2 ** 20) return undefined;
      throw Object.assign(new Error('The request included a message larger than the max message size'), {
        name: 'KafkaJSProtocolError',
        type: 'MESSAGE_TOO_LARGE',
      });
    };
    const queue = new DeadLetterQueue({
      name: 'payments',
      store: open({ clock: systemClock }),
      maxPayloadBytes: 2 ** 23,
      lastResort: line => void lines.push(line),
    });
    const registry = new OperationRegistry();
    const options = { registry, deadLetter: queue, maxAttempts: 1 };
    const fail = defineOperation('fail', (_: string) => Promise.reject(new Error('own')), options);
    await expect(fail('x'.repeat(5 * 2 ** 20))).rejects.toThrow('own');
    expect([lines.length, queue.waiting]).toEqual([1, 1]);
    await expect(fail('small')).rejects.toThrow('own');
    expect(await queue.stats()).toMatchObject({ dead: 1 });
  });
});

describe('records', () => {
  it('of the store have no key, so that a compacted topic refuses them', async () => {
    const store = open();
    await store.put(letterNow());
    const [claim] = (await store.claim(1, {}, 'a', 1000)) as [Claim];
    await store.complete(claim.letter.id, claim.token);
    expect(kafka.records(TOPIC).map(({ key }) => key)).toEqual([null, null, null]);
  });

  it('of letters tell in the headers of Spring and in ours what is known, exactly', async () => {
    const source = { topic: 'orders', partition: 2, offset: '9007199254740993' };
    const letter = letterNow({ source, idempotencyKey: 'k\u0000"' });
    await open().put(letter);
    const [copy] = kafka.records('orders-dlt');
    expect([copy?.partition, copy?.key]).toEqual([2, letter.id]);
    const { [H.originalPartition]: partition, [H.originalOffset]: offset, ...text } = copy?.headers ?? {};
    expect(partition).toEqual(Buffer.from('00000002', 'hex'));
    expect(offset).toEqual(Buffer.from('0020000000000001', 'hex'));
    expect(Object.fromEntries(Object.entries(text).map(([name, value]) => [name, String(value)]))).toEqual({
      'kafka_dlt-original-topic': 'orders',
      'kafka_dlt-exception-fqcn': 'ECONNREFUSED',
      'kafka_dlt-exception-message': 'connect ECONNREFUSED',
      'retry-operation': 'charge_card',
      'retry-attempts': '3',
      'retry-stop-reason': 'attempts_exhausted',
      'retry-letter-id': letter.id,
      'retry-first-failed-at': `${letter.firstFailedAt}`,
      'retry-last-failed-at': `${letter.lastFailedAt}`,
      'retry-idempotency-key': 'k\u0000"',
    });
  });

  it.each([{ offset: '99999999999999999999' }, { offset: 'x' }, { partition: 2 ** 40 }, { partition: 1.5 }, {}])(
    'leave out of a source what is no number of Kafka: %j',
    async source => {
      await open().put(letterNow({ source: { topic: 'orders', ...source } }));
      const names = Object.keys(kafka.records('orders-dlt')[0]?.headers ?? {});
      expect(names.filter(name => name.startsWith('kafka_dlt-original'))).toEqual(['kafka_dlt-original-topic']);
    },
  );

  it('are not copied to what can be no topic, or where that is not wanted', async () => {
    for (const topic of ['or ders', '../x', 'x'.repeat(250), ''])
      expect((await open({ topicSuffix: '-dlt' }).put(letterNow({ source: { topic } }))).outcome).toBe('stored');
    await open({ copyToSource: false }).put(letterNow({ source: { topic: 'orders' } }));
    expect([...kafka.topics.keys()].filter(name => name !== TOPIC && name !== '-dlt')).toEqual([]);
  });

  it('are in the store before the copy: one that fails is made by the next put', async () => {
    const store = open();
    const letter = letterNow({ source: { topic: 'orders' } });
    kafka.onAppend = async topic => {
      if (topic === 'orders-dlt') throw new Error('UNKNOWN_TOPIC_OR_PARTITION');
      return undefined;
    };
    await expect(store.put(letter)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION');
    expect((await store.stats()).letters).toBe(1);
    kafka.onAppend = () => undefined;
    expect((await store.put(letter)).outcome).toBe('present');
    await store.put(letter);
    expect(kafka.records('orders-dlt')).toHaveLength(1);
  });

  it('hold no secret of an error, of arguments or of a key', async () => {
    const queue = new DeadLetterQueue({ name: 'payments', store: open({ clock: systemClock }) });
    const options = { registry: new OperationRegistry(), deadLetter: queue, maxAttempts: 1 };
    const secret = 'hunter2-9f8e7d';
    const fail = defineOperation('fail', (_: object) => Promise.reject(new Error(`password=${secret}`)), options);
    await expect(fail.with({ source: { topic: 'orders' } })({ password: secret })).rejects.toThrow();
    const written = [...kafka.records(TOPIC), ...kafka.records('orders-dlt')];
    expect(written).toHaveLength(2);
    for (const { value, headers } of written) {
      expect([value, ...Object.values(headers)].join('\n')).not.toContain(secret);
    }
  });

  it('that somebody else wrote are passed over', async () => {
    const store = open();
    const write = (headers: Record<string, string>, value: string): void =>
      kafka.write(TOPIC, {
        partition: 0,
        key: 'k',
        value,
        timestamp: 0,
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
      });
    write({}, 'hello');
    write({ [EVENT_HEADER]: 'put' }, '{}');
    write({ [EVENT_HEADER]: 'put', [INDEX_HEADER]: '{"id":1}' }, '{}');
    write({ [EVENT_HEADER]: '__proto__' }, '{"event":"__proto__","nonce":"1"}');
    write({ [EVENT_HEADER]: 'toString' }, '{"event":"toString","nonce":"1"}');
    write({ [EVENT_HEADER]: 'purge' }, '{"event":"purge","nonce":"1","letters":[[1]]}');
    write({ [EVENT_HEADER]: 'fail' }, '{"event":"fail","nonce":"1","id":"1","token":"t","failure":{}}');
    await store.put(letterNow());
    expect(await store.stats()).toMatchObject({ letters: 1 });
    expect(await store.claim(1, {}, 'a', 1000)).toHaveLength(1);
  });

  it('never throw whatever they are', () => {
    const names = fc.constantFrom(
      'put',
      'claim',
      'revive',
      'purge',
      'renew',
      'release',
      'complete',
      'fail',
      'quarantine',
    );
    const bytes = fc.oneof(fc.json(), fc.string()).map(text => Buffer.from(text));
    fc.assert(
      fc.property(fc.oneof(names, fc.string()), bytes, fc.option(bytes), (name, index, value) => {
        const header = (wanted: string): Buffer => (wanted === EVENT_HEADER ? Buffer.from(name) : index);
        return ['foreign', 'newer'].includes(eventOf({ offset: 0n, timestamp: 0, value, header }) as string);
      }),
    );
  });

  it('of a newer version stop every decision, but neither reading nor putting', async () => {
    const store = open();
    await store.put(letterNow());
    const value = '{"format":2,"event":"merge"}';
    kafka.write(TOPIC, {
      partition: 1,
      key: null,
      value,
      timestamp: 0,
      headers: { [EVENT_HEADER]: Buffer.from('merge') },
    });
    await expect(store.claim(1, {}, 'a', 1000)).rejects.toMatchObject({ why: 'newer_version' });
    await expect(store.purge({})).rejects.toMatchObject({ why: 'newer_version' });
    expect(await store.put(letterNow())).toMatchObject({ outcome: 'stored' });
    expect(await all(store)).toHaveLength(2);
  });
});

describe('what is wrong', () => {
  it.each([
    [{ log: undefined }, /log is undefined/],
    [{ log: {} }, /log is an object; it must be a DeadLetterLog/],
    [{ topic: 'a b' }, /topic is "a b"/],
    [{ topic: '..' }, /topic is "\.\."/],
    [{ topicSuffix: '/' }, /topicSuffix/],
    [{ timeoutMs: 0 }, /timeoutMs is 0/],
    [{ copyToSource: 'yes' }, /copyToSource/],
    [{ retention: { maxAge: 1 } }, /maxAge/],
    [{ topics: 'x' }, /did you mean "topic"/],
  ])('is refused at once: %j', (own, expected) => {
    const make = () => new KafkaDeadLetterStore({ log: kafka.client(), ...own } as never);
    expect(make).toThrow(expected);
  });

  it('a letter that no reader would take for one is refused', async () => {
    await expect(open().put(letterNow({ diedAt: Number.NaN }))).rejects.toThrow(TypeError);
    await expect(open().put({} as never)).rejects.toThrow(TypeError);
    expect(kafka.records(TOPIC)).toEqual([]);
  });
});
