import { read } from '../../../src/engine/read.ts';
import type { Library } from '../../libraries/library.ts';
import { type Callable, exported, withExports } from '../../libraries/patching.ts';
import { undici as observed } from '../../libraries/undici.ts';
import { retriedFetch } from './fetch.ts';
import { retriedRequest } from './undici-request.ts';

/** `fetch` and `request` of npm's undici. */
export const undici: Library = {
  name: 'undici',
  does: 'retries',
  module: 'undici',
  versions: observed.versions,
  patch: exports => {
    const replacements = {
      fetch: retriedFetch(exported(exports, 'fetch')),
      request: retriedRequest(exported(exports, 'request') as Callable),
    };
    // What is imported by name, and what is imported whole.
    const whole = read(exports, 'default');
    if (read(whole, 'fetch') !== undefined) withExports(whole, replacements);
    return withExports(exports, replacements);
  },
};
