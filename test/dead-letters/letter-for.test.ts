import { FakeClock } from 'retryscope/testing';
import {
  DeadLetterQueue,
  defineOperation,
  type FailedCall,
  MemoryDeadLetterStore,
  operations,
} from '../../src/recovery/dead-letters/index.ts';

const clock = new FakeClock();
const store = new MemoryDeadLetterStore({ clock });
const queue = new DeadLetterQueue({ name: 'mails', store, clock });
const call: FailedCall = { operation: 'send_mail', args: [{ order: 'o-1' }], error: new Error('smtp says no') };

describe('queue.letterFor', () => {
  it('makes the letter of a call without storing or counting it', async () => {
    const letter = await queue.letterFor(call);
    expect(letter).toMatchObject({
      queue: 'mails',
      operation: 'send_mail',
      payload: { kind: 'plain', json: '[{"order":"o-1"}]', version: 1 },
      error: { message: 'smtp says no' },
      reason: 'not_retryable',
      attempts: 1,
      history: [],
      firstFailedAt: clock.wallNow(),
      lastFailedAt: clock.wallNow(),
      diedAt: clock.wallNow(),
      redrives: 0,
      state: { is: 'dead' },
    });
    expect(letter.idempotencyKey).toMatch(/^[\da-f-]{36}$/);
    expect((await store.stats()).letters).toBe(0);
    expect(queue.counts.stored).toBe(0);
  });

  it('takes over what the call says of itself', async () => {
    const source = { topic: 'orders', partition: 3, offset: '17' };
    const own = { reason: 'attempts_exhausted', attempts: 5, version: 7, idempotencyKey: 'key-1', source } as const;
    const { payload, ...letter } = await queue.letterFor({ ...call, ...own });
    expect(letter).toMatchObject({ reason: 'attempts_exhausted', attempts: 5, idempotencyKey: 'key-1', source });
    expect(payload.version).toBe(7);
  });

  it('knows the version of the arguments from the operation', async () => {
    defineOperation('send_mail', () => undefined, { version: 3 });
    expect((await queue.letterFor(call)).payload.version).toBe(3);
    operations.delete('send_mail');
  });

  it('takes secrets out, as the queue does, and keeps large payloads out', async () => {
    const secret = await queue.letterFor({
      ...call,
      args: [{ password: 'hunter2' }],
      error: new Error('password=hunter2'),
    });
    expect(JSON.stringify(secret)).not.toContain('hunter2');
    const large = await queue.letterFor({ ...call, args: ['x'.repeat(5 * 2 ** 20)] });
    expect(large.payload).toMatchObject({ kind: 'omitted', why: 'too_large' });
  });

  it.each([
    [{ operation: '' }, /operation is ""/],
    [{ operation: undefined }, /operation is undefined/],
    [{ args: { 0: 'x' } }, /args is an object; it must be the list of arguments/],
    [{ reason: 'bored' }, /reason is "bored"/],
    [{ attempts: -1 }, /attempts is -1/],
    [{ version: 0 }, /version is 0/],
    [{ idempotencyKey: '' }, /idempotencyKey is ""/],
    [{ source: { partition: 1 } }, /source is an object/],
    [{ arguments: [] }, /"arguments" is not an option/],
  ])('refuses %j', async (own, message) => {
    await expect(queue.letterFor({ ...call, ...own } as never)).rejects.toThrow(message);
  });

  it('takes any error at all', async () => {
    for (const error of [null, undefined, 0, Symbol('x'), Object.create(null), Proxy.revocable({}, {}).proxy])
      expect((await queue.letterFor({ ...call, error })).error.type).toEqual(expect.any(String));
  });
});
