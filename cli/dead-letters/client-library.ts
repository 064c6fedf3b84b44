import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

/**
 * Loads the first package of `names` that the project in the working directory has: the versions and the settings of its
 * clients are the user's choice.
 *
 * @throws UsageError, naming what to install, when there is none
 */
export function loadClientLibrary<Name extends string>(
  kind: string,
  names: readonly [Name, ...Name[]],
): { readonly name: Name; readonly library: unknown } {
  const require = createRequire(join(process.cwd(), 'package.json'));
  for (const name of names) {
    try {
      return { name, library: require(name) };
    } catch (error) {
      if (!isMissing(error, name)) throw error;
    }
  }
  throw new UsageError(`a ${kind} store needs the package ${names.join(' or ')}: npm install ${names[0]}`);
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return code === 'MODULE_NOT_FOUND' && String(message).includes(`'${name}'`);
}
