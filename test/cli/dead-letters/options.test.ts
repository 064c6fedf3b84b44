import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readDuration, sayDuration } from '../../../cli/dead-letters/duration.ts';
import { Interruption } from '../../../cli/dead-letters/interruption.ts';
import { readKafkaAddress } from '../../../cli/dead-letters/kafka-address.ts';
import { cipherFrom } from '../../../cli/dead-letters/key-options.ts';
import { sayBytes } from '../../../cli/dead-letters/layout.ts';
import { openStore } from '../../../cli/dead-letters/open-store.ts';
import { ProgressBar } from '../../../cli/dead-letters/progress-bar.ts';
import { readStoreAddress } from '../../../cli/dead-letters/store-address.ts';
import { UnavailableError } from '../../../cli/unavailable-error.ts';
import { UsageError } from '../../../cli/usage-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dead-letters-options-'));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('the address of a store', () => {
  it.each<[string, string, string, string]>([
    ['sqlite:letters.db', 'sqlite', 'letters.db', 'sqlite:letters.db'],
    ['sqlite:/var/lib/shop/letters.db', 'sqlite', '/var/lib/shop/letters.db', 'sqlite:/var/lib/shop/letters.db'],
    ['sqlite:///var/lib/letters.db', 'sqlite', '/var/lib/letters.db', 'sqlite:/var/lib/letters.db'],
    ['postgres://db.internal/shop', 'postgres', 'postgres://db.internal/shop', 'postgres://db.internal/shop'],
    ['postgresql:///shop?host=/run', 'postgres', 'postgresql:///shop?host=/run', 'postgresql:///shop'],
    ['REDISS://cache:6380/2', 'redis', 'REDISS://cache:6380/2', 'rediss://cache:6380/2'],
    ['kafka://a:9092,b:9092/letters', 'kafka', 'kafka://a:9092,b:9092/letters', 'kafka://a:9092,b:9092/letters'],
  ])('%s is understood', (text, kind, target, shown) => {
    expect(readStoreAddress(text)).toEqual({ kind, target, shown });
  });

  it.each(['', 'letters.db', 'mysql://host/db', 'postgres:', 'postgres:hunter2', 'sqlite:', 'redis://hunter2:x:y'])(
    'is not %s, and what was given is not repeated',
    text => {
      expect(() => readStoreAddress(text)).toThrow(UsageError);
      expect(() => readStoreAddress(text)).toThrow(
        /^--store .*(sqlite:FILE|redis:\/\/host:6379|postgres:\/\/user@host)/,
      );
      expect(() => readStoreAddress(text)).not.toThrow(/hunter2/);
    },
  );

  it('is never shown with its password, whatever is in it', () => {
    const password = fc.string({ minLength: 6, maxLength: 20 }).map(text => `#7${text}7`);
    const scheme = fc.constantFrom('postgres', 'redis', 'rediss', 'kafka');
    fc.assert(
      fc.property(scheme, password, (name, secret) => {
        for (const form of [encodeURIComponent(secret), secret]) {
          for (const text of [`${name}://me:${form}@host/db`, `${name}://host/db?password=${form}`]) {
            try {
              const { shown } = readStoreAddress(text);
              if (shown.includes(form) || shown.includes('me:')) throw new Error(`${text} is shown as ${shown}`);
            } catch (error) {
              if (!(error instanceof UsageError)) throw error;
              if (error.message.includes(secret)) throw new Error(`${text} is told of in ${error.message}`);
            }
          }
        }
      }),
    );
  });
});

describe('the address of Kafka', () => {
  it('has hosts, and may have a topic, credentials and TLS', () => {
    expect(readKafkaAddress('kafka://a:9093,b')).toEqual({
      topic: undefined,
      config: { brokers: ['a:9093', 'b:9092'], ssl: false },
    });
    expect(readKafkaAddress('kafka://me:p%40ss%@a/letters?tls=true&sasl=scram-sha-512')).toEqual({
      topic: 'letters',
      config: {
        brokers: ['a:9092'],
        ssl: true,
        sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'p%40ss%' },
      },
    });
  });

  it.each([
    'kafka://',
    'kafka://a/b/c',
    'kafka://a?ssl=true',
    'kafka://a?tls=hunter2',
    'kafka://me:hunter2@a?sasl=gssapi',
  ])('is not %s, and what was given is not repeated', text => {
    expect(() => readKafkaAddress(text)).toThrow(/^--store kafka: must be kafka:\/\/host:9092/);
    expect(() => readKafkaAddress(text)).not.toThrow(/hunter2/);
  });
});

describe('a store', () => {
  it('that is not there is not made', async () => {
    const missing = `sqlite:${join(folder, 'no.db')}`;
    await expect(openStore({ store: missing })).rejects.toThrow(
      new UnavailableError(`${missing}: there is no such file`),
    );
    await expect(openStore({ store: `sqlite:${folder}` })).rejects.toThrow(UnavailableError);
  });

  it('is not made in a file that is empty', async () => {
    const path = join(folder, 'empty.db');
    writeFileSync(path, '');
    await expect(openStore({ store: `sqlite:${path}` })).rejects.toThrow(
      new UnavailableError(`sqlite:${path}: there is no store in this file, it is empty`),
    );
    expect(statSync(path).size).toBe(0);
  });

  it('that is another file is told of in one line', async () => {
    const path = join(folder, 'other.db');
    writeFileSync(path, 'not a database, for sure'.repeat(100));
    const error: unknown = await openStore({ store: `sqlite:${path}` }).catch(fault => fault);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toMatch(/^sqlite:.*other\.db cannot be used: .*not a database/);
    expect((error as Error).message).not.toContain('\n');
  });

  it.each([['postgres://me:hunter2@127.0.0.1/shop', 'a postgres store needs the package pg: npm install pg']])(
    'whose client is not installed says what to install: %s',
    async (store, message) => {
      jest.spyOn(process, 'cwd').mockReturnValue(folder);
      await expect(openStore({ store })).rejects.toThrow(new UsageError(message));
    },
  );

  it('that cannot be reached is told of without its password', async () => {
    const error: unknown = await (async () => {
      await using opened = await openStore({ store: 'postgres://me:hunter2@127.0.0.1:1/shop' });
      await opened.store.stats();
    })().catch(fault => fault);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toMatch(/^postgres:\/\/127\.0\.0\.1:1\/shop cannot be used: .*ECONNREFUSED/);
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('has options of its own kind only', async () => {
    await expect(openStore({ store: 'sqlite:a.db', table: 'letters' })).rejects.toThrow(/^--table is for/);
    const postgres = { store: 'postgres://127.0.0.1:1/shop', table: 'shop.public.letters' };
    await expect(openStore(postgres)).rejects.toThrow(new UsageError('--table must be table or schema.table'));
    await expect(openStore({ store: 'sqlite:a.db', prefix: 'letters' })).rejects.toThrow(/^--prefix is for/);
  });
});

describe('a key', () => {
  it.each(['short', 'a'.repeat(63), 'é'.repeat(32), Buffer.alloc(33).toString('base64')])(
    'is not %s, which is not repeated',
    text => {
      const path = join(folder, 'key');
      writeFileSync(path, text);
      const refused = (): unknown => cipherFrom({ keyFile: [path] });
      expect(refused).toThrow(
        new UsageError(`--key-file ${path}: a key is 32 bytes, as base64 or as 64 hexadecimal digits`),
      );
    },
  );

  it('that is not there is missed, and none is none', () => {
    expect(() => cipherFrom({ keyFile: [join(folder, 'no')] })).toThrow(/no: it cannot be read|there is no such file/);
    expect(cipherFrom({})).toBeUndefined();
  });
});

describe('a duration', () => {
  it.each<[string, number | undefined]>([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['250ms', 250],
    ['2', undefined],
    ['h', undefined],
    ['-2h', undefined],
    ['2 hours', undefined],
    ['', undefined],
  ])('%s is %p ms', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });

  it('is said in one unit', () => {
    const said = [-5, 0, 1999, 119_999, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000].map(sayDuration);
    expect(said).toEqual(['0 s', '0 s', '1 s', '119 s', '2 min', '119 min', '2 h', '47 h', '2 d']);
  });

  it('and a size too', () => {
    expect([0, 1023, 1024, 150 * 1024, 2 ** 20, 5 * 2 ** 30].map(sayBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '150 KiB',
      '1.0 MiB',
      '5.0 GiB',
    ]);
  });
});

describe('an interruption', () => {
  it('ends the work in order the first time, and the process the second time', () => {
    const told: string[] = [];
    const before = process.listenerCount('SIGINT');
    {
      using interruption = new Interruption(
        () => told.push('first'),
        status => told.push(`exit ${status}`),
      );
      expect(interruption.status).toBeUndefined();
      process.emit('SIGTERM', 'SIGTERM');
      expect(interruption.signal.aborted).toBe(true);
      expect(interruption.status).toBe(143);
      expect(told).toEqual(['first']);
      process.emit('SIGINT', 'SIGINT');
      expect(told).toEqual(['first', 'exit 130']);
    }
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('a bar of progress', () => {
  const streamOf = (isTTY: boolean) => {
    const texts: string[] = [];
    const write = (text: string): boolean => texts.push(text) > 0;
    const nothing = (): void => undefined;
    const stream = { isTTY, columns: 100, write, on: nothing, cursorTo: nothing, clearLine: nothing };
    return { texts, stream: stream as unknown as NodeJS.WriteStream };
  };

  it('is on a terminal only', () => {
    const { texts, stream } = streamOf(false);
    const bar = new ProgressBar(stream, 'counting', 10);
    bar.show(5);
    bar.clear();
    expect(texts).toEqual([]);
  });

  it('says how many of how many, and may get longer', () => {
    const { texts, stream } = streamOf(true);
    const bar = new ProgressBar(stream, 'counting', 10);
    bar.show(12);
    bar.clear();
    expect(texts.join('')).toContain('counting ');
    expect(texts.join('')).toContain('0 of 10');
  });

  it('says nothing of the rest where nothing is known of it', () => {
    const { texts, stream } = streamOf(true);
    const bar = new ProgressBar(stream, 'counting', 10);
    bar.show(0);
    bar.clear();
    expect(texts.join('')).not.toMatch(/NF|NULL|NaN/);
  });
});
