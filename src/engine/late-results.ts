import { type LateResults, runtime } from './runtime.ts';

/** Counts an attempt that ignored its signal, and whose result nobody gets. */
export function countLateResult(operation: string, result: 'success' | 'failure'): void {
  const counts = runtime.lateResults;
  const name = counts.has(operation) || counts.size < MAX_OPERATIONS ? operation : 'other';
  const known = counts.get(name);
  if (known === undefined) counts.set(name, { success: 0, failure: 0, [result]: 1 });
  else known[result]++;
}

/** Reads how many attempts settled too late since the process started, by operation. */
export function lateResults(): ReadonlyMap<string, Readonly<LateResults>> {
  return runtime.lateResults;
}

const MAX_OPERATIONS = 200;
