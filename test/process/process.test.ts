import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

// Processes are started here, on machines that may be busy.
jest.setTimeout(60_000);

describe('RETRYSCOPE_DISABLED', () => {
  const script = `
    import { retry } from ${JSON.stringify(join(process.cwd(), 'src/core.ts'))};
    let calls = 0;
    await retry(() => { calls++; throw new Error('x'); }, { initialDelay: 1, maxAttempts: 4 }).catch(() => undefined);
    console.log(calls);`;
  it.each([
    ['1', '1'],
    ['', '4'],
    ['0', '4'],
  ])('=%s makes %s attempts', (value, calls) => {
    const { stdout, stderr } = spawnSync(
      join(process.cwd(), 'node_modules/.bin/node'),
      ['--input-type=module', '-e', script],
      {
        env: { ...process.env, RETRYSCOPE_DISABLED: value },
        encoding: 'utf8',
      },
    );
    expect([stdout.trim(), stderr]).toEqual([calls, '']);
  });
});

describe('a wait that may not keep the process alive', () => {
  it.each<['ref' | 'unref', string]>([
    ['ref', 'waited'],
    ['unref', ''],
  ])('%s, when waits are shared', (hold, printed) => {
    const script = `
      import { systemClock } from ${JSON.stringify(`${process.cwd()}/src/engine/system-clock.ts`)};
      void systemClock.sleep(30, undefined, '${hold}').then(() => console.log('waited'));`;
    const { stdout } = spawnSync(`${process.cwd()}/node_modules/.bin/node`, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(printed);
  });
});
