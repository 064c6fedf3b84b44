import type { DeadLetterQueue } from './dead-letter-queue.ts';
import { operations } from './operation-registry.ts';
import { checkRedriveOptions, type RedriveOptions } from './redrive-options.ts';
import { obstacleOf } from './stored-arguments.ts';

/** What a redrive would do. */
export interface RedrivePreview {
  /** Dead letters that fit, up to the limit. */
  readonly letters: number;
  /** One row for each operation that they belong to. */
  readonly operations: readonly OperationPreview[];
}

/** What a redrive would do with the letters of one operation. */
export interface OperationPreview {
  readonly operation: string;
  /** Would be sent. */
  readonly sendable: number;
  /** Would stay as they are: this process has no handler for them, or an older one. */
  readonly notHere: number;
  /** Would be quarantined, since their payload or their idempotency key is not what the call had. */
  readonly impossible: number;
}

/** The dry run of `redrive`: reads the letters and changes nothing. */
export async function previewRedrive(
  queue: DeadLetterQueue,
  options: Pick<RedriveOptions, 'filter' | 'limit' | 'registry'> = {},
): Promise<RedrivePreview> {
  checkRedriveOptions(options);
  const { filter = {}, limit = Infinity, registry = operations } = options;
  const rows = new Map<string, { -readonly [key in keyof OperationPreview]: OperationPreview[key] }>();
  let letters = 0;
  let after: string | undefined;
  do {
    const page = await queue.store.list(
      { ...filter, queue: queue.name, states: ['dead'] },
      { limit: Math.min(PAGE, limit - letters), ...(after === undefined ? undefined : { after }) },
    );
    for (const letter of page.letters) {
      const { operation } = letter;
      const row = rows.get(operation) ?? { operation, sendable: 0, notHere: 0, impossible: 0 };
      rows.set(operation, row);
      const obstacle = obstacleOf(letter, registry.get(operation));
      row[obstacle === undefined ? 'sendable' : obstacle.is === 'untried' ? 'notHere' : 'impossible']++;
    }
    letters += page.letters.length;
    after = page.next;
  } while (after !== undefined && letters < limit);
  return { letters, operations: [...rows.values()].sort((a, b) => (a.operation < b.operation ? -1 : 1)) };
}

const PAGE = 200;
