import { read } from '../../../engine/read.ts';
import { redactWithin } from '../../../engine/redact.ts';
import { faultCode } from '../../../limits/redis/script-runner.ts';

/**
 * Redis refused, failed or did not answer. `code` is the word by which Redis or Node names it: `OOM`, `NOPERM`, `WRONGTYPE`,
 * `ECONNREFUSED`, `NOTCONNECTED`, `ETIMEDOUT`. It stands for the error of the client, which may carry the command and with
 * it the letter.
 */
export class RedisStoreError extends Error {
  override readonly name: string = 'RedisStoreError';
  readonly code: string;

  constructor(fault: unknown) {
    const text = read(fault, 'message');
    const words = typeof text === 'string' ? redactWithin(text, LONGEST_TEXT) : 'no reason was given';
    super(`Redis did not do what the store of dead letters asked for: ${words}`);
    this.code = faultCode(fault);
  }
}

/** Redis runs in a way that loses letters which it has acknowledged, and the store was told to require that it does not. */
export class RedisNotDurableError extends Error {
  override readonly name: string = 'RedisNotDurableError';
  readonly code = 'ERR_DEAD_LETTER_STORE_NOT_DURABLE';

  /** `losses` names each setting, and what it is. */
  constructor(losses: readonly string[]) {
    super(
      `Redis would lose dead letters (${losses.join('; ')}), so the store takes none. Set what is named, or let the store only warn: durability: 'warn'`,
    );
  }
}

const LONGEST_TEXT = 300;
