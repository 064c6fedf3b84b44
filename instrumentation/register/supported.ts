import { LIBRARIES } from '../libraries/index.ts';
import { SERVICES } from './services/index.ts';

/** What register does with one library, for the table of the README. */
export interface Supported {
  /** Its name in `RETRYSCOPE_INSTRUMENTATIONS_DISABLED`. */
  readonly name: string;
  /** Packages and the ranges of their versions that are known to work; none for what is part of Node. */
  readonly packages: readonly { readonly module: string; readonly versions: readonly string[] }[];
  readonly does: readonly ('observes' | 'retries')[];
}

/** The name of the global fetch in `RETRYSCOPE_INSTRUMENTATIONS_DISABLED`. */
export const FETCH = 'fetch';

/** Everything that register knows, by name. */
export function supported(): Supported[] {
  const byName = Map.groupBy([...LIBRARIES, ...SERVICES], ({ name }) => name);
  return [
    { name: FETCH, packages: [], does: ['retries'] },
    ...[...byName].map(
      ([name, libraries]): Supported => ({
        name,
        packages: [...new Map(libraries.map(library => [library.module, library])).values()],
        does: [...new Set(libraries.map(({ does }) => does))],
      }),
    ),
  ];
}
