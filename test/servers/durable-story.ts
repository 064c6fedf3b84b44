import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteDeadLetterStore } from '../../src/recovery/dead-letters/sqlite/index.ts';
import type { DurableTerms, Order, Said } from '../dead-letters/support/durable-terms.ts';
import { bundle } from '../dead-letters/support/processes.ts';
import { until } from '../redis/support/until.ts';

/** What the story needs to know of an engine. */
export interface EngineUnderTest {
  readonly engine: DurableTerms['engine'];
  port(): number;
  /** Puts a job in as somebody else might. */
  put(data: object, operation?: string): Promise<void>;
  /** The data of a job that waits. */
  waiting(): Promise<readonly Record<string, unknown>[]>;
  /** What is said of the jobs that have failed. */
  failures(): Promise<readonly string[]>;
  /** Jobs that wait or run. */
  left(): Promise<number>;
  /** Takes all jobs away. */
  empty(): Promise<void>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

/** Long enough for an engine on a busy machine to take a call in the meantime. */
const LONG_MS = 1500;

/** Where workers are killed: others are given their jobs after that time. */
const SHORT_LOCK_MS = 1000;

/** What both engines must do. */
export function tellOfDurableWaits(under: EngineUnderTest): void {
  let folder: string;
  let letters: string;
  let bundled: string;
  let program: string;
  const running: Running[] = [];
  const start = async (own: Partial<DurableTerms> = {}): Promise<Running> => {
    const base = {
      port: under.port(),
      letters,
      works: false,
      mayHang: false,
      mayStop: false,
      knows: 'everything' as const,
      longMs: LONG_MS,
      handOverTimeoutMs: 5000,
      lockMs: 30_000,
    };
    const process = startProcess(program, { engine: under.engine, ...base, ...own });
    running.push(process);
    await until(() => process.said.some(({ ready }) => ready === true));
    return process;
  };
  const worker = (own: Partial<DurableTerms> = {}): Promise<Running> => start({ works: true, ...own });
  const attemptsOf = (order: number) =>
    running.flatMap(({ said }) => said).filter(line => line.order === order && line.attempt !== undefined);

  beforeAll(() => {
    bundled = mkdtempSync(join(tmpdir(), 'durable-test-'));
    program = bundle('durable-process.ts', bundled);
  });
  afterAll(() => rmSync(bundled, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'durable-test-'));
    letters = join(folder, 'letters.db');
  });
  afterEach(async () => {
    // One that is still about to end would write what is taken away here.
    await Promise.all(running.splice(0).map(process => process.kill()));
    await under.empty();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a call goes on in another process, and is given up there with its whole history', async () => {
    const caller = await start();
    caller.make({ id: 1, fails: 2 }, { id: 2, fails: 9 }, { id: 3, fails: 9, unkept: true });
    await until(() => caller.said.filter(({ code }) => code === 'ERR_RETRY_HANDED_OVER').length === 3);
    await caller.kill();
    const working = await worker();
    await until(() => working.said.some(({ charged }) => charged === 1));
    await until(async () => (await under.left()) === 0);
    const [first] = attemptsOf(1);
    expect(attemptsOf(1)).toEqual([
      { attempt: 1, maxAttempts: 4, delayMs: 0, key: first?.key, order: 1 },
      { attempt: 2, maxAttempts: 4, delayMs: 10, key: first?.key, order: 1, previous: 'ECONNRESET' },
      { attempt: 3, maxAttempts: 4, delayMs: LONG_MS, key: first?.key, order: 1, previous: 'ECONNRESET' },
    ]);
    const store = new SqliteDeadLetterStore({ file: letters, ballastBytes: 0 });
    const page = await store.list();
    await store.close();
    expect(page.letters).toHaveLength(1);
    expect(page.letters[0]).toMatchObject({
      operation: 'charge_card',
      payload: { json: '[{"id":2,"fails":9}]' },
      reason: 'attempts_exhausted',
      attempts: 4,
      idempotencyKey: attemptsOf(2)[0]?.key,
    });
    expect(page.letters[0]?.history.map(({ delayMs }) => delayMs)).toEqual([0, 10, LONG_MS, LONG_MS]);
    // The engine has run each job once, whatever its queue says of retries.
    expect(attemptsOf(2).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(attemptsOf(3).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(await under.failures()).toEqual([
      expect.stringContaining('charge_unkept gave up after attempt 4, attempts_exhausted: down'),
    ]);
  });

  it('a job whose worker is killed is run again, from the same attempt with the same key', async () => {
    const first = await worker({ mayHang: true, lockMs: SHORT_LOCK_MS });
    first.make({ id: 1, fails: 2, hangsIn: 3 });
    await until(() => attemptsOf(1).some(({ attempt }) => attempt === 3));
    await first.kill();
    const second = await worker();
    await until(() => second.said.some(({ charged }) => charged === 1));
    expect(attemptsOf(1).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 3]);
    expect(new Set(attemptsOf(1).map(({ key }) => key)).size).toBe(1);
    await until(async () => (await under.left()) === 0);
    expect(await under.failures()).toEqual([]);
  });

  it('no call is lost over workers that are killed at random', async () => {
    const CALLS = 30;
    const caller = await start();
    caller.make(...Array.from({ length: CALLS }, (_, id) => ({ id, fails: id % 3 === 0 ? 3 : 2, takesMs: 30 })));
    // On a machine that is very busy some may stay where they are.
    await until(() => caller.said.filter(said => 'jobId' in said || said.event === 'kept_in_memory').length === CALLS);
    const charged = () =>
      new Set(running.flatMap(({ said }) => said.map(line => line.charged)).filter(id => id !== undefined));
    for (let kills = 0; kills < 3 && charged().size < CALLS; kills++) {
      const doomed = await worker({ lockMs: SHORT_LOCK_MS });
      const had = charged().size;
      await until(() => doomed.said.some(({ attempt }) => attempt !== undefined) || charged().size === CALLS);
      await new Promise(resolve => setTimeout(resolve, 20 + Math.random() * 100));
      await doomed.kill();
      expect(charged().size).toBeGreaterThanOrEqual(had);
    }
    await worker();
    await until(() => charged().size === CALLS, 60_000);
    await until(async () => (await under.left()) === 0);
    expect(await under.failures()).toEqual([]);
    for (let id = 0; id < CALLS; id++) {
      const lines = attemptsOf(id);
      expect(new Set(lines.map(({ key }) => key)).size).toBe(1);
      // Every number from 1 on, some of them more than once: at least once is what is promised.
      const numbers = [...new Set(lines.map(({ attempt }) => attempt))].sort();
      expect(numbers).toEqual(id % 3 === 0 ? [1, 2, 3, 4] : [1, 2, 3]);
    }
  });

  it('without its server a call waits in memory, and is made once', async () => {
    const caller = await start({ longMs: 2000, handOverTimeoutMs: 300 });
    await under.stopServer();
    const startedAt = Date.now();
    caller.make({ id: 1, fails: 2 });
    await until(() => caller.said.some(({ value }) => value === 'charged'));
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(caller.said.find(({ event }) => event !== undefined)).toMatchObject({
      event: 'kept_in_memory',
      why: expect.stringMatching(/^the engine did not take it: /),
    });
    expect(attemptsOf(1).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    await under.startServer();
    // The next one that the engine takes tells that the client is back, and has sent what it had kept for the server.
    let next = 1;
    await until(async () => {
      next++;
      caller.make({ id: next, fails: 2 });
      const answer = (): Said | undefined =>
        caller.said.find(said => said.order === next && ('jobId' in said || 'value' in said));
      await until(() => answer() !== undefined);
      return 'jobId' in (answer() ?? {});
    });
    // That is taken back.
    await until(async () => (await under.left()) === 1);
    const working = await worker();
    await until(() => working.said.some(({ charged }) => charged === next));
    await until(async () => (await under.left()) === 0);
    expect(working.said.filter(({ attempt }) => attempt !== undefined).map(({ order }) => order)).toEqual([next]);
    expect(attemptsOf(1).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('what others have put into the queue is refused, and fails once', async () => {
    const caller = await start();
    caller.make({ id: 1, fails: 2 });
    await until(async () => (await under.waiting()).length === 1);
    const [data = {}] = await under.waiting();
    await under.empty();
    const payload = data.payload as object;
    await under.put({ hello: 'world' });
    await under.put({ ...data, format: 2, putBack: -1 });
    await under.put({ ...data, format: 2, putBack: 300 });
    await under.put({ ...data, operation: '__proto__', putBack: 300 });
    await under.put({ ...data, operation: 'charge_unkept', payload: { ...payload, json: 'process.exit()' } });
    await under.put({ ...data, attempts: '3' });
    const working = await worker();
    await until(async () => (await under.failures()).length === 6);
    expect([...(await under.failures())].sort()).toEqual(
      [
        'The job is refused: attempts of the job is not what it must be',
        'The job is refused: putBack of the job is not what it must be',
        'The job is refused: the job is none of ours',
        'The job is refused: the job was written by a newer version',
        'The job is refused: the payload cannot be read',
        'The job is refused: there is no operation of the name "__proto__"',
      ].map(text => expect.stringContaining(text)),
    );
    await new Promise(resolve => setTimeout(resolve, 1000));
    expect(working.said.filter(({ event }) => event === 'refused')).toHaveLength(6);
    expect(working.said.filter(({ event }) => event === 'put_back')).toEqual([]);
    expect(working.said.filter(({ attempt }) => attempt !== undefined)).toEqual([]);
  });

  it('a job that meets a worker of the release before, or one that is being stopped, goes on at the next', async () => {
    const caller = await start();
    caller.make({ id: 1, fails: 2 }, { id: 2, fails: 2, stopsIn: 3 });
    await until(() => caller.said.filter(({ code }) => code === 'ERR_RETRY_HANDED_OVER').length === 2);
    await caller.kill();
    const old = await worker({ knows: 'nothing' });
    await until(() => old.said.filter(({ event }) => event === 'put_back').length >= 2);
    await old.kill();
    const stopping = await worker({ mayStop: true });
    await until(() => stopping.said.some(({ event }) => event === 'put_back'));
    await stopping.kill();
    const working = await worker();
    await until(() => [1, 2].every(id => running.some(({ said }) => said.some(({ charged }) => charged === id))));
    await until(async () => (await under.left()) === 0);
    expect(old.said.filter(({ attempt }) => attempt !== undefined)).toEqual([]);
    for (const id of [1, 2]) {
      expect(new Set(attemptsOf(id).map(({ key }) => key)).size).toBe(1);
      expect(new Set(attemptsOf(id).map(({ attempt }) => attempt))).toEqual(new Set([1, 2, 3]));
    }
    expect(working.said.filter(({ event }) => event === 'put_back')).toEqual([]);
    expect(await under.failures()).toEqual([]);
  });
}

interface Running {
  readonly said: readonly Said[];
  make(...orders: readonly Order[]): void;
  /** Resolves when it has ended. */
  kill(): Promise<unknown>;
}

function startProcess(program: string, terms: DurableTerms): Running {
  const argv = ['--disable-warning=ExperimentalWarning', program, JSON.stringify(terms)];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said: Said[] = [];
  const ended = new Promise(resolve => child.once('close', resolve));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    said.push(...parts.map(line => JSON.parse(line) as Said));
  });
  return {
    said,
    make: (...orders) => void child.stdin.write(orders.map(order => `${JSON.stringify(order)}\n`).join('')),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
