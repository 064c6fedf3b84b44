import {
  type DeadLetter,
  DeadLetterQueue,
  defineOperation,
  MemoryDeadLetterStore,
  OperationRegistry,
  redrive,
} from 'retryscope/dead-letters';
import { AT_ONCE, type Bench, benches } from '../dead-letters/stores.ts';
import { type Contender, collectGarbage, measure, type Result } from '../measure.ts';
import { report } from '../section.ts';

/** Each figure is taken for so long, or for so many letters: a disk may be slow, and memory is not. */
const [LONGEST_MS, MOST_LETTERS] = [40, 400];
const ROUNDS = 5;
const ORDER = { id: 'order-4711', customer: 'customer-815', cents: 4200, items: ['a lamp', 'a chair', 'a table'] };
const down = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });

const throughput: Result[] = [];
const calls: Result[] = [];
// So that V8 knows the code before anything counts.
await measureCalls(new DeadLetterQueue({ name: 'warm-up', store: new MemoryDeadLetterStore() }));
for (const open of benches) {
  const bench = await open();
  if (bench === undefined) continue;
  const queue = new DeadLetterQueue({ name: bench.name, store: bench.store });
  throughput.push(...(await measureStore(bench, queue)));
  // What the call takes by itself is shown once.
  calls.push(...(await measureCalls(queue)).slice(calls.length === 0 ? 0 : 1));
  await bench.end();
}

report(
  {
    title: 'Dead letters: the time of each against the least that keeps a text as safely there',
    unit: 'per second',
    results: throughput.map(result => ({ ...result, cost: 1e6 / result.cost })),
    // Above what they are where a write to the disk takes no time at all, which is when they are highest. None for Kafka:
    // the mock cluster has no disk, and is 40 ms late with every other answer to several requests at once.
    gates: [
      { contender: 'SQLite: put, one by one', limit: 25 },
      { contender: 'PostgreSQL: put, 16 at once', limit: 15 },
      { contender: 'PostgreSQL: redrive, 16 at once', limit: 20 },
      { contender: 'Redis: put, 16 at once', limit: 8 },
      { contender: 'Redis: redrive, 16 at once', limit: 20 },
    ].filter(({ contender }) => throughput.some(({ name }) => name === contender)),
  },
  {
    title: 'A call that gives up after one attempt, and where its letter goes',
    unit: 'us',
    results: calls,
    gates: [],
  },
);

/** Microseconds for a letter, each against the bare write by as many writers. */
async function measureStore({ name, store, yardstick, keep }: Bench, queue: DeadLetterQueue): Promise<Result[]> {
  const registry = new OperationRegistry();
  defineOperation('charge_card', async () => 'charged', { registry });
  const bare = (writers: number): Figure => ({
    name: `${name}: ${yardstick}, ${timesOf(writers)}`,
    run: () => writeLetters(queue, writers, ({ id }, text) => keep(id, text)),
  });
  const put = (writers: number): Figure => ({
    name: `${name}: put, ${timesOf(writers)}`,
    run: () => writeLetters(queue, writers, letter => store.put(letter)),
  });
  const again: Figure = { name: `${name}: redrive, ${timesOf(AT_ONCE)}`, run: () => redriveAll(queue, registry) };
  return [
    ...(await measureFigures([bare(1), put(1)])),
    // The letters that this puts are those that it redrives.
    ...(await measureFigures([bare(AT_ONCE), put(AT_ONCE), again])),
  ];
}

/** Microseconds for a call. */
function measureCalls(deadLetter: DeadLetterQueue): Promise<Result[]> {
  const call = (options: { deadLetter?: DeadLetterQueue }): (() => Promise<number>) => {
    const fail = defineOperation(
      'charge_card',
      async (_: typeof ORDER) => {
        throw down;
      },
      { ...options, maxAttempts: 1, registry: new OperationRegistry() },
    );
    return () => {
      // What the letters left behind would otherwise be cleared away at the cost of the calls without any.
      collectGarbage();
      return timePerTurn(1, () => fail(ORDER).catch(() => undefined));
    };
  };
  return measureFigures([
    { name: 'no dead letters', run: call({}) },
    { name: `kept in ${deadLetter.name}`, run: call({ deadLetter }) },
  ]);
}

interface Figure extends Contender {
  readonly run: () => Promise<number>;
}

function measureFigures(figures: readonly Figure[]): Promise<Result[]> {
  return measure(figures, ROUNDS, ({ run }) => run() as Promise<number>);
}

async function writeLetters(
  queue: DeadLetterQueue,
  writers: number,
  write: (letter: DeadLetter, text: string) => unknown,
): Promise<number> {
  const first = await queue.letterFor({ operation: 'charge_card', args: [ORDER], error: down });
  // Ids in the order of time, as the next letters would have them: making those takes longer than some of these writes.
  const idOf = (i: number): string => first.id.slice(0, -12) + i.toString(16).padStart(12, '0');
  const letters = Array.from({ length: MOST_LETTERS }, (_, i) => ({ ...first, id: idOf(i) }));
  const texts = letters.map(letter => JSON.stringify(letter));
  return timePerTurn(writers, async i => write(letters[i] ?? first, texts[i] ?? ''));
}

async function redriveAll(queue: DeadLetterQueue, registry: OperationRegistry): Promise<number> {
  const start = performance.now();
  const { results } = await redrive(queue, { concurrency: AT_ONCE, registry });
  return ((performance.now() - start) * 1000) / results.redriven;
}

/** Microseconds for one turn, where so many at a time are under way. */
async function timePerTurn(workers: number, turn: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < MOST_LETTERS && performance.now() - start < LONGEST_MS) await turn(begun++);
  };
  await Promise.all(Array.from({ length: workers }, work));
  return ((performance.now() - start) * 1000) / begun;
}

function timesOf(writers: number): string {
  return writers === 1 ? 'one by one' : `${writers} at once`;
}
