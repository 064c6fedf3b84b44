import { spawnSync } from 'node:child_process';

/** What the tests of such a group register with. */
export interface Registrars {
  readonly it: (name: string, fn: () => Promise<void>) => void;
  readonly beforeEach: (fn: () => void) => void;
  readonly afterEach: (fn: () => void) => void;
}

/**
 * `describe` for tests that need something of the machine that may be missing. Where it is, the name of one test and a line
 * on standard error tell how many were left out, and why.
 */
export function describeWhere(
  name: string,
  need: { readonly isThere: boolean; readonly missing: string },
  body: (registrars: Registrars) => void,
): void {
  if (need.isThere) {
    describe(name, () => body({ it, beforeEach, afterEach }));
    return;
  }
  let count = 0;
  const nothing = (): void => undefined;
  body({ it: () => void count++, beforeEach: nothing, afterEach: nothing });
  const words = `${count} tests left out: ${need.missing}`;
  describe(name, () => {
    it(words, () => void process.stderr.write(`${name}: ${words}\n`));
  });
}

/** What tests need that count the fsyncs of a process. */
export const STRACE: { readonly isThere: boolean; readonly missing: string } = {
  isThere: spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0,
  missing: 'strace is missing or may not trace; the package strace brings it',
};
