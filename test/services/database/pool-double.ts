import type { QueryRows } from 'retryscope/database';

/** What goes wrong: an answer that is an error is thrown, `undefined` stands for the usual one. */
export interface Faults {
  connect?(): unknown;
  query?(text: string): unknown;
}

/** A pool like that of pg with one client, which writes down all that it is told. */
export class PoolDouble {
  readonly log: string[] = [];
  listeners = 0;
  readonly client: PoolDoubleClient;
  readonly #faults: Faults;

  constructor(faults: Faults = {}) {
    this.#faults = faults;
    this.client = {
      query: (statement, values) => this.#ask(statement, values),
      release: (isBroken?: unknown) => {
        this.log.push(isBroken === undefined ? 'release' : `release(${String(isBroken)})`);
      },
      on: () => this.listeners++,
      removeListener: () => this.listeners--,
    };
  }

  async connect(): Promise<PoolDoubleClient> {
    this.log.push('connect');
    await answer(this.#faults.connect?.());
    return this.client;
  }

  query(statement: unknown, values?: readonly unknown[]): Promise<QueryRows<unknown>> {
    return this.#ask(statement, values);
  }

  /** The same with the functions of mysql2. */
  asMysql(): PoolDouble & { getConnection(): Promise<PoolDoubleClient> } {
    Object.assign(this.client, { destroy: () => this.log.push('destroy') });
    return Object.assign(this, { getConnection: () => this.connect(), connect: this.connect });
  }

  async #ask(statement: unknown, values?: readonly unknown[]): Promise<QueryRows<unknown>> {
    this.log.push(values === undefined ? String(statement) : `${String(statement)} ${JSON.stringify(values)}`);
    return ((await answer(this.#faults.query?.(String(statement)))) ?? { rows: [], rowCount: 1 }) as QueryRows<unknown>;
  }
}

export interface PoolDoubleClient {
  query(statement: unknown, values?: readonly unknown[]): Promise<QueryRows<unknown>>;
  release(isBroken?: unknown): void;
  on(): unknown;
  removeListener(): unknown;
}

/** An error of a server. */
export function sqlError(code: string): Error {
  const isMysql = code.startsWith('ER_');
  return Object.assign(new Error('x'), {
    code,
    ...(isMysql ? { errno: 1, sqlState: 'HY000' } : { severity: 'ERROR' }),
  });
}

async function answer(fault: unknown): Promise<unknown> {
  const found = await fault;
  if (Object.prototype.toString.call(found) === '[object Error]') throw found;
  return found;
}
