import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FakeClock } from 'retryscope/testing';
import { DeadLetterQueue, defineOperation, OperationRegistry, redrive } from '../../src/recovery/dead-letters/index.ts';
import { SqliteDeadLetterStore } from '../../src/recovery/dead-letters/sqlite/index.ts';
import { describeWhere, STRACE } from './support/describe-where.ts';
import { letterWith } from './support/letters.ts';
import { bundle, startProcess } from './support/processes.ts';

jest.setTimeout(60_000);

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-sqlite-'));
  file = join(folder, 'letters', 'store.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const payloadOf = (text: string) =>
  ({ kind: 'plain', json: JSON.stringify([text]), version: 1, bytes: text.length + 4, altered: [] }) as const;

describe('the file', () => {
  it('is readable for its owner alone, as are those beside it and the folder', async () => {
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 4096 });
    await store.put(letterWith());
    const modes = readdirSync(join(folder, 'letters')).map(name => [
      name,
      statSync(join(folder, 'letters', name)).mode & 0o777,
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      'store.db': 0o600,
      'store.db-wal': 0o600,
      'store.db-shm': 0o600,
      'store.db.ballast': 0o600,
    });
    expect(statSync(join(folder, 'letters')).mode & 0o777).toBe(0o700);
  });

  it('is made private when it was not, but a folder that was there keeps its mode', async () => {
    mkdirSync(join(folder, 'letters'), { mode: 0o755 });
    writeFileSync(file, '', { mode: 0o644 });
    await using store = new SqliteDeadLetterStore({ file });
    expect(statSync(store.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'letters')).mode & 0o777).toBe(0o755);
  });

  it('keeps its letters when it is closed and opened again', async () => {
    const letter = letterWith({ diedAt: Date.now() });
    {
      await using store = new SqliteDeadLetterStore({ file });
      await store.put(letter);
    }
    await using store = new SqliteDeadLetterStore({ file });
    expect(await store.get(letter.id)).toEqual(letter);
  });

  it('has a write-ahead log', async () => {
    await using _ = new SqliteDeadLetterStore({ file });
    const db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    db.close();
  });

  it('of a newer version is refused, and left as it is', async () => {
    await new SqliteDeadLetterStore({ file, ballastBytes: 0 }).close();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const before = readFileSync(file);
    expect(() => new SqliteDeadLetterStore({ file, ballastBytes: 0 })).toThrow('has version 99; this library knows 2');
    expect(readFileSync(file)).toEqual(before);
  });

  it('of the first version gets what it lacks, and keeps its letters', async () => {
    const letter = letterWith({ diedAt: Date.now() });
    {
      await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
      await store.put(letter);
    }
    const db = new DatabaseSync(file);
    db.exec('ALTER TABLE letters DROP COLUMN owners; ALTER TABLE letters ADD COLUMN last_owner TEXT');
    db.exec('DROP INDEX letters_records');
    db.exec("UPDATE letters SET last_owner = 'a'; PRAGMA user_version = 1");
    db.close();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    await using other = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    expect(await other.get(letter.id)).toEqual(letter);
    const [claim] = await store.claim(1, {}, 'b', 60_000);
    expect(await store.release(letter.id, claim?.token as string)).toBe(true);
    expect(await other.claim(1, {}, 'b', 60_000)).toEqual([]);
  });

  it('of another program is refused, and left as it is', () => {
    mkdirSync(join(folder, 'letters'));
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE letters (text)');
    db.close();
    expect(() => new SqliteDeadLetterStore({ file, ballastBytes: 0 })).toThrow('a database of something else');
    writeFileSync(file, 'hello, world. '.repeat(1000));
    expect(() => new SqliteDeadLetterStore({ file, ballastBytes: 0 })).toThrow(/not a database/);
  });

  it.each([
    [{}, /file is undefined/],
    [{ file: '' }, /file is ""/],
    [{ file: 'x', busyTimeout: 5 }, /did you mean "busyTimeoutMs"/],
    [{ file: 'x', ballastBytes: -1 }, /ballastBytes is -1/],
    [{ file: 'x', retention: { whenFull: 'panic' } }, /whenFull is "panic"/],
  ])('is not opened with %j', (options, message) => {
    expect(() => new SqliteDeadLetterStore(options as never)).toThrow(message);
  });

  it('shows a letter that is damaged or of a newer version as far as it can, and never overwrites it', async () => {
    await using store = new SqliteDeadLetterStore({ file });
    const letters = [letterWith(), letterWith()];
    for (const letter of letters) await store.put({ ...letter, diedAt: Date.now() });
    const db = new DatabaseSync(file);
    const bodies = ['{"format": 1, "id"', '{"format": 2, "secrets": "of the future"}'];
    const write = db.prepare('UPDATE letters SET body = ? WHERE id = ?');
    for (const [i, { id }] of letters.entries()) write.run(bodies[i] as string, id);
    const seen = (await store.list()).letters;
    expect(seen.map(({ id, payload }) => [id, 'why' in payload && payload.why])).toEqual([
      [letters[0]?.id, 'damaged'],
      [letters[1]?.id, 'newer_version'],
    ]);
    for (const { letter, token } of await store.claim(2, {}, 'a', 1000))
      await store.quarantine(letter.id, token, 'unreadable');
    expect((await store.stats()).queues[0]?.quarantined).toBe(2);
    expect(
      db
        .prepare('SELECT body FROM letters ORDER BY id')
        .all()
        .map(({ body }) => body),
    ).toEqual(bodies);
    db.close();
  });
});

describe('deleting', () => {
  const secret = 'the customer lives in Baker Street 221b';
  const everything = (): string =>
    readdirSync(join(folder, 'letters'))
      .map(name => readFileSync(join(folder, 'letters', name), 'latin1'))
      .join();

  it('leaves nothing of a purged letter in any file', async () => {
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    for (let i = 0; i < 20; i++)
      await store.put(letterWith({ diedAt: Date.now(), payload: payloadOf(secret.repeat(300)) }));
    expect(everything()).toContain(secret);
    const before = statSync(file).size + statSync(`${file}-wal`).size;
    expect(await store.purge({})).toBe(20);
    expect(everything()).not.toContain(secret);
    expect(statSync(file).size + statSync(`${file}-wal`).size).toBeLessThan(before / 2);
  });
});

describe('what is left of a letter whose redrive succeeded', () => {
  const secret = 'the customer lives in Baker Street 221b';
  const filesWith = (text: string): string[] =>
    readdirSync(join(folder, 'letters')).filter(name =>
      readFileSync(join(folder, 'letters', name), 'latin1').includes(text),
    );
  const redriveOne = async (store: SqliteDeadLetterStore): Promise<void> => {
    const [claim] = await store.claim(1, {}, 'a', 60_000);
    expect(await store.complete(claim?.letter.id as string, claim?.token as string)).toBe(true);
  };

  it.each([1, 300])('is nothing of its payload in any file, a second later (%i times the text)', async times => {
    const clock = new FakeClock();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    await store.put(letterWith({ diedAt: clock.wallNow(), payload: payloadOf(secret.repeat(times)) }));
    await store.put(letterWith({ diedAt: clock.wallNow() }));
    expect(filesWith(secret)).not.toEqual([]);
    await redriveOne(store);
    await clock.advance(1000);
    expect(filesWith(secret)).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is nothing of it when the store is closed at once, while another process has it open', async () => {
    await using other = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    await other.put(letterWith({ diedAt: Date.now(), payload: payloadOf(secret) }));
    {
      await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
      await redriveOne(store);
    }
    expect(filesWith(secret)).toEqual([]);
  });

  it('is nothing of it a second after another process opens the file, where the one that redrove was killed', async () => {
    const script = `
      const { SqliteDeadLetterStore } = await import(${JSON.stringify(bundle('store.ts', folder))});
      const store = new SqliteDeadLetterStore({ file: ${JSON.stringify(file)}, ballastBytes: 0 });
      await store.put(${JSON.stringify(letterWith({ diedAt: Date.now(), payload: payloadOf(secret) }))});
      const [{ letter, token }] = await store.claim(1, {}, 'a', 60000);
      await store.complete(letter.id, token);
      process.kill(process.pid, 'SIGKILL');`;
    const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    expect(spawnSync(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] }).signal).toBe('SIGKILL');
    expect(filesWith(secret)).not.toEqual([]);
    const clock = new FakeClock();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    expect((await store.stats()).letters).toBe(1);
    await clock.advance(1000);
    expect(filesWith(secret)).toEqual([]);
  });

  it('nor of one that had to go for another', async () => {
    const clock = new FakeClock();
    const retention = { maxCount: 1, whenFull: 'drop-oldest' } as const;
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, retention, clock });
    await store.put(letterWith({ diedAt: clock.wallNow(), payload: payloadOf(secret) }));
    expect(await store.put(letterWith({ diedAt: clock.wallNow() }))).toMatchObject({ evicted: 1 });
    await clock.advance(1000);
    expect(filesWith(secret)).toEqual([]);
  });
});

describe('a limit that was lowered', () => {
  const fill = async (count: number, clock: FakeClock): Promise<void> => {
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    for (let i = 0; i < count; i++) await store.put(letterWith({ diedAt: clock.wallNow() - count + i }));
  };

  it('is come down to by letters that make more room than they take', async () => {
    const clock = new FakeClock();
    await fill(600, clock);
    const retention = { maxCount: 10, whenFull: 'drop-oldest' } as const;
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock, retention });
    for (const [evicted, letters] of [
      [250, 351],
      [250, 102],
      [93, 10],
      [1, 10],
    ]) {
      expect(await store.put(letterWith({ diedAt: clock.wallNow() }))).toEqual({ outcome: 'stored', evicted });
      expect((await store.stats()).letters).toBe(letters);
    }
  });

  it('in bytes holds where a letter alone is larger', async () => {
    const clock = new FakeClock();
    await fill(300, clock);
    const retention = { maxBytes: 2048, whenFull: 'drop-oldest' } as const;
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock, retention });
    const huge = letterWith({ diedAt: clock.wallNow(), payload: payloadOf('x'.repeat(4096)) });
    await expect(store.put(huge)).rejects.toThrow(/maxBytes/);
    expect((await store.stats()).letters).toBe(300);
    expect(await store.put(letterWith({ diedAt: clock.wallNow() }))).toMatchObject({ evicted: 250 });
  });

  it('refuses new letters as before, but for records, which go first', async () => {
    const clock = new FakeClock();
    await fill(300, clock);
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock, retention: { maxCount: 10 } });
    const letter = letterWith({ diedAt: clock.wallNow() });
    await expect(store.put(letter)).rejects.toThrow(/maxCount/);
    for (const { letter: old, token } of await store.claim(249, {}, 'a', 60_000)) await store.complete(old.id, token);
    await expect(store.put(letter)).rejects.toThrow(/maxCount/);
    expect((await store.stats()).letters).toBe(300);
    const [claim] = await store.claim(1, {}, 'a', 60_000);
    await store.complete(claim?.letter.id as string, claim?.token as string);
    expect(await store.put(letter)).toEqual({ outcome: 'stored', evicted: 0 });
    expect((await store.stats()).letters).toBe(51);
    await expect(store.put(letterWith({ diedAt: clock.wallNow() }))).rejects.toThrow(/maxCount/);
  });
});

describe('a text that somebody has tampered with', () => {
  it.each<[string, (body: Record<string, unknown>) => object]>([
    ['the id of another letter', body => ({ ...body, id: 'other' })],
    ['another operation than its row', body => ({ ...body, operation: 'delete_everything' })],
    ['no list of alterations', body => ({ ...body, payload: { kind: 'plain', json: '[]', version: 1, bytes: 2 } })],
    ['attempts that are text', body => ({ ...body, attempts: '3' })],
    ['a history of nothing', body => ({ ...body, history: [null] })],
    ['a trace that is none', body => ({ ...body, trace: { traceId: 5, spanId: {} } })],
    ['no key', body => ({ ...body, idempotencyKey: undefined })],
  ])('is damaged, is not run, and harms no other letter: %s', async (_, tamper) => {
    const clock = new FakeClock();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    const letters = [letterWith({ diedAt: clock.wallNow() }), letterWith({ id: 'other', diedAt: clock.wallNow() + 1 })];
    for (const letter of letters) await store.put(letter);
    const db = new DatabaseSync(file);
    const row = db.prepare('SELECT body FROM letters WHERE id = ?').get(letters[0]?.id as string);
    const body = JSON.stringify(tamper(JSON.parse(row?.body as string)));
    db.prepare('UPDATE letters SET body = ? WHERE id = ?').run(body, letters[0]?.id as string);
    db.close();
    const registry = new OperationRegistry();
    const calls: unknown[] = [];
    for (const name of ['charge_card', 'delete_everything'])
      defineOperation(name, (...args) => void calls.push([name, args]), { registry, clock });
    const queue = new DeadLetterQueue({ name: 'payments', store, clock });
    expect((await redrive(queue, { registry })).results).toMatchObject({ redriven: 1, quarantined: 1 });
    expect(calls).toEqual([['charge_card', [{ order: expect.any(Number) }]]]);
    expect((await store.get(letters[0]?.id as string))?.state).toMatchObject({ is: 'quarantined' });
    expect((await store.get('other'))?.state).toMatchObject({ is: 'redriven' });
  });
});

describe('a wall clock that jumps', () => {
  class JumpingClock extends FakeClock {
    jumpedBy = 0;
    override wallNow(): number {
      return super.wallNow() + this.jumpedBy;
    }
  }

  it('back leaves a claim with its owner, and the letter to others only when the lease ends by that clock', async () => {
    const clock = new JumpingClock();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    await store.put(letterWith({ diedAt: clock.wallNow() }));
    const [claim] = await store.claim(1, {}, 'a', 60_000);
    clock.jumpedBy = -3_600_000;
    expect(await store.claim(1, {}, 'b', 60_000)).toEqual([]);
    expect(await store.renew(claim?.letter.id as string, claim?.token as string, 60_000)).toBe(true);
    clock.jumpedBy = -3_600_000 + 60_001;
    expect(await store.claim(1, {}, 'b', 60_000)).toHaveLength(1);
  });

  it('forward gives the letter to the next one, and the first cannot touch it any more', async () => {
    const clock = new JumpingClock();
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock });
    await store.put(letterWith({ diedAt: clock.wallNow() }));
    const [first] = await store.claim(1, {}, 'a', 60_000);
    clock.jumpedBy = 3_600_000;
    const [second] = await store.claim(1, {}, 'b', 60_000);
    expect(await store.complete(first?.letter.id as string, first?.token as string)).toBe(false);
    expect(await store.complete(second?.letter.id as string, second?.token as string)).toBe(true);
    expect((await store.stats()).queues[0]).toMatchObject({ redriven: 1, dead: 0 });
  });
});

describe('the limits of retention', () => {
  it('hold to the byte, to the letter and to the millisecond', async () => {
    const clock = new FakeClock();
    let bytes: number;
    {
      await using store = new SqliteDeadLetterStore({ file: `${file}.probe`, ballastBytes: 0, clock });
      await store.put(
        letterWith({ id: 'a', idempotencyKey: 'k', diedAt: clock.wallNow(), payload: payloadOf('x'.repeat(1000)) }),
      );
      bytes = (await store.stats()).bytes;
    }
    const same = (id: string) =>
      letterWith({ id, idempotencyKey: 'k', diedAt: clock.wallNow(), payload: payloadOf('x'.repeat(1000)) });
    for (const [retention, most] of [
      [{ maxBytes: 2 * bytes }, 2],
      [{ maxBytes: 2 * bytes - 1 }, 1],
      [{ maxCount: 2 }, 2],
    ] as const) {
      await using store = new SqliteDeadLetterStore({
        file: `${file}.${JSON.stringify(retention).length}${most}`,
        ballastBytes: 0,
        clock,
        retention,
      });
      const taken = [];
      for (const id of ['a', 'b', 'c'])
        taken.push(
          await store.put(same(id)).then(
            () => id,
            () => '',
          ),
        );
      expect(taken.filter(id => id !== '')).toHaveLength(most);
    }
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0, clock, retention: { maxAgeMs: 1000 } });
    await store.put(same('a'));
    await clock.advance(1000);
    expect(await store.expire()).toBe(0);
    await clock.advance(1);
    expect(await store.expire()).toBe(1);
  });
});

describe('planted secrets', () => {
  it('reach no file: not from arguments, keys, messages, causes, stacks or idempotency keys', async () => {
    await using store = new SqliteDeadLetterStore({ file, ballastBytes: 0 });
    const registry = new OperationRegistry();
    const deadLetter = new DeadLetterQueue({ name: 'q', store });
    const planted = 'tr0ub4dor-planted';
    const error = new Error(`password=${planted}`, { cause: new Error(`https://user:${planted}@host/`) });
    const op = defineOperation('leaky', (..._args: unknown[]) => Promise.reject(error), {
      registry,
      deadLetter,
      maxAttempts: 1,
      idempotencyKey: () => `token=${planted}1`,
    });
    const args = [{ password: planted, nested: [{ url: `https://h/?key=${planted}` }] }, `Bearer ${planted}`];
    await expect(op(...args)).rejects.toBe(error);
    const names = readdirSync(join(folder, 'letters'));
    expect(names.filter(name => readFileSync(join(folder, 'letters', name), 'latin1').includes(planted))).toEqual([]);
    expect((await store.stats()).letters).toBe(1);
  });
});

describe('several connections', () => {
  it('wait for each other without blocking the thread', async () => {
    await using store = new SqliteDeadLetterStore({ file });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    // The other one ends when the thread has gone on for some turns; a put that blocked it would wait in vain.
    const turn = setInterval(() => {
      if (++turns === 20) other.exec('COMMIT');
    }, 5);
    try {
      expect(await store.put(letterWith({ diedAt: Date.now() }))).toMatchObject({ outcome: 'stored' });
    } finally {
      clearInterval(turn);
      other.close();
    }
    expect(turns).toBeGreaterThan(3);
  });

  it('give up after the busy time-out', async () => {
    await using store = new SqliteDeadLetterStore({ file, busyTimeoutMs: 60 });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.put(letterWith({ diedAt: Date.now() }))).rejects.toThrow('database is locked');
    other.close();
  });
});

describe('loading', () => {
  it('of the module does not load node:sqlite; making a store does', () => {
    const script = `
      const before = process.moduleLoadList.length;
      const { SqliteDeadLetterStore } = await import(${JSON.stringify(bundle('store.ts', folder))});
      const isLoaded = () => process.moduleLoadList.slice(before).some(name => name.includes('sqlite'));
      const early = isLoaded();
      new SqliteDeadLetterStore({ file: ${JSON.stringify(file)} });
      console.log(early, isLoaded());`;
    const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    expect([stdout.trim(), stderr]).toEqual(['false true', '']);
  });
});

describeWhere(
  'a disk that is full',
  { isThere: canMount(), missing: 'no file system can be mounted here, which takes root' },
  ({ it, beforeEach, afterEach }) => {
    let disk: string;
    beforeEach(() => {
      disk = join(folder, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
    });
    // Also where a test that failed has left a file open.
    afterEach(() => execFileSync('umount', ['-l', disk]));

    const fillUp = (): string => {
      const filler = join(disk, 'filler');
      try {
        for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
      } catch {
        return filler;
      }
    };

    it('takes further letters from the space that was kept for it, and says so once', async () => {
      await using store = new SqliteDeadLetterStore({ file: join(disk, 'store.db'), ballastBytes: 512 * 1024 });
      await store.put(letterWith({ diedAt: Date.now() }));
      expect(store.ballast).toBe('kept');
      fillUp();
      const results = [];
      for (let i = 0; i < 20; i++)
        results.push(await store.put(letterWith({ diedAt: Date.now(), payload: payloadOf('x'.repeat(1000)) })));
      expect(results.filter(({ warning }) => warning === 'disk_full')).toHaveLength(1);
      expect(store.ballast).toBe('spent');
      expect((await store.stats()).letters).toBe(21);
    });

    it('refuses letters in the end, keeps those that it took, and takes more once there is room', async () => {
      const clock = new FakeClock();
      const path = join(disk, 'store.db');
      const taken: string[] = [];
      {
        await using store = new SqliteDeadLetterStore({ file: path, ballastBytes: 128 * 1024, clock });
        const filler = fillUp();
        const fault = await putUntilRefused(store, taken, clock);
        expect(fault).toMatchObject({ code: 'ERR_SQLITE_ERROR' });
        expect(taken.length).toBeGreaterThan(5);
        rmSync(filler);
        await store.put(letterWith({ id: 'after', diedAt: clock.wallNow() }));
        // The space is taken again when the disk has room to spare.
        await clock.advance(60_001);
        await store.put(letterWith({ id: 'later', diedAt: clock.wallNow() }));
        expect(store.ballast).toBe('kept');
      }
      const db = new DatabaseSync(path);
      const stored = db
        .prepare('SELECT id FROM letters')
        .all()
        .map(({ id }) => id);
      expect(stored.sort()).toEqual([...taken, 'after', 'later'].sort());
      expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      db.close();
    });

    it('can be purged, and completed redrives noted, thanks to that space', async () => {
      await using store = new SqliteDeadLetterStore({ file: join(disk, 'store.db'), ballastBytes: 512 * 1024 });
      for (let i = 0; i < 10; i++)
        await store.put(letterWith({ diedAt: Date.now(), payload: payloadOf('x'.repeat(10_000)) }));
      fillUp();
      const [claim] = await store.claim(1, {}, 'a', 60_000);
      expect(await store.complete(claim?.letter.id as string, claim?.token as string)).toBe(true);
      expect(await store.purge({})).toBe(10);
    });

    async function putUntilRefused(store: SqliteDeadLetterStore, taken: string[], clock: FakeClock): Promise<unknown> {
      for (let i = 0; i < 1000; i++) {
        const letter = letterWith({ diedAt: clock.wallNow(), payload: payloadOf('x'.repeat(1000)) });
        try {
          await store.put(letter);
          taken.push(letter.id);
        } catch (fault) {
          return fault;
        }
      }
      return undefined;
    }
  },
);

describeWhere('what is acknowledged', STRACE, ({ it }) => {
  it('is on the disk: one fsync for each letter', async () => {
    const [writer, trace] = [bundle('writer.ts', folder), join(folder, 'trace')];
    const letters = 200;
    const argv = [
      '-f',
      '-e',
      'trace=fsync,fdatasync,write',
      '-o',
      trace,
      process.execPath,
      writer,
      file,
      'a',
      String(letters),
    ];
    const { status } = spawnSync('strace', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    expect(status).toBe(0);
    let [syncs, acknowledged, sinceLast] = [0, 0, 0];
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      if (/f(?:data)?sync\(/.test(line)) [syncs, sinceLast] = [syncs + 1, sinceLast + 1];
      if (!line.includes('write(1, "a-')) continue;
      expect(sinceLast).toBeGreaterThan(0);
      [acknowledged, sinceLast] = [acknowledged + 1, 0];
    }
    process.stdout.write(`${syncs} fsyncs for ${letters} letters\n`);
    expect(acknowledged).toBe(letters);
    expect(syncs).toBeLessThan(letters * 1.2);
  });
});

it('six processes can make the same store at the same time', async () => {
  const writer = bundle('writer.ts', folder);
  const all = Array.from({ length: 6 }, (_, i) => startProcess(writer, [file, `p${i}`, '5']));
  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual([0, 0, 0, 0, 0, 0]);
  await using store = new SqliteDeadLetterStore({ file });
  expect((await store.stats()).letters).toBe(30);
  expect(existsSync(`${file}.ballast`)).toBe(true);
});

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'mount-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0;
  if (isMounted) execFileSync('umount', [probe]);
  rmSync(probe, { recursive: true });
  return isMounted;
}
