import { appendFileSync } from 'node:fs';
import { defineOperation, type OperationContext } from '../../../../src/recovery/dead-letters/index.ts';

// What a user's module looks like to the command; bundled, it brings a copy of the library of its own. It keeps the process
// alive, as a pool of connections would. Each call is a line in a file: that is the outside world.

const { DELIVERIES = '', SLOW = '' } = process.env;

defineOperation(
  'charge_card',
  async function (this: OperationContext, order: { readonly order: number }): Promise<void> {
    appendFileSync(DELIVERIES, `${order.order} ${this.idempotencyKey} ${this.redrive}\n`);
    if (SLOW !== '') await new Promise(resolve => setTimeout(resolve, 60_000));
    if (order.order === 13) throw new Error('the bank at https://me:hunter2@bank.example says no');
  },
  { maxAttempts: 1 },
);
setInterval(() => undefined, 60_000);
