import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone afterwards, whatever happens. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'retryscope-preview-'));
  readonly #remove = (): void => {
    if (existsSync(this.path)) rmSync(this.path, { recursive: true, force: true });
  };

  constructor() {
    process.once('exit', this.#remove);
  }

  [Symbol.dispose](): void {
    process.removeListener('exit', this.#remove);
    this.#remove();
  }
}
