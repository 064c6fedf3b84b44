/** A program that tests start, and the Debian package that brings it. */
export interface NeededProgram {
  readonly name: string;
  readonly debianPackage: string;
  readonly isThere: boolean;
}

/**
 * `describe` for tests that need a program. Where it is missing, CI fails, and anywhere else the name of one test and a
 * line on standard error tell how many were left out, and what brings them back.
 */
export function describeWithProgram(program: NeededProgram, name: string, body: () => void): void {
  if (program.isThere) {
    describe(name, () => {
      body();
    });
    return;
  }
  const count = countTests(body);
  const why = `there is no ${program.name} (apt-get install ${program.debianPackage})`;
  describe(name, () => {
    it(`${count} tests left out: ${why}`, () => {
      if (process.env.CI === 'true') throw new Error(why);
      process.stderr.write(`${name}: ${count} tests left out, ${why}\n`);
    });
  });
}

const REGISTRARS = ['it', 'describe', 'beforeAll', 'afterAll', 'beforeEach', 'afterEach'] as const;

/** How many tests `body` would register. */
function countTests(body: () => void): number {
  const scope = globalThis as unknown as Record<(typeof REGISTRARS)[number], unknown>;
  const real = REGISTRARS.map(registrar => scope[registrar]);
  let count = 0;
  const register = (): void => {
    count++;
  };
  const each = (rows: readonly unknown[]) => (): void => {
    count += rows.length;
  };
  for (const registrar of REGISTRARS) scope[registrar] = () => undefined;
  scope.it = Object.assign(register, { each });
  scope.describe = Object.assign((_: string, inner: () => void) => inner(), {
    each: (rows: readonly unknown[]) => (_: string, inner: (row: unknown) => void) => rows.forEach(inner),
  });
  body();
  REGISTRARS.forEach((registrar, i) => {
    scope[registrar] = real[i];
  });
  return count;
}
