import { createRequire } from 'node:module';
import { join } from 'node:path';
import { retry } from '../../../../instrumentation/libraries/retry.ts';
import { addObserver } from '../../../../src/engine/default-observer.ts';

// The suite requires the library's file, so what is patched here is what it tests.
let calls = 0;
addObserver({
  call: () => {
    calls++;
    return {};
  },
});
retry.patch(createRequire(join(process.cwd(), 'from.js'))('retry-0.12/lib/retry'));
process.once('exit', () => console.log(`calls watched: ${calls}`));
