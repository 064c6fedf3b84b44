/** One way of doing the same thing. */
export interface Contender {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** What a contender cost, against the first one of its section. */
export interface Result {
  readonly name: string;
  /** The median over the rounds, in the unit of the section. */
  readonly cost: number;
  /** The median over the rounds of the ratio to the first contender of the same round. */
  readonly ratio: number;
}

/** How a section is measured. */
export interface Plan {
  /** Rounds that count. Before them a third as many run to warm up. */
  readonly rounds: number;
  /** How often each contender runs in a round. */
  readonly iterations: number;
}

/**
 * Measures nanoseconds for one run of each contender. They run in turn in every round, so that whatever else the
 * machine does meets all of them; ratios are taken within a round and their median is what counts.
 */
export async function measureTime(contenders: readonly Contender[], plan: Plan): Promise<Result[]> {
  return measure(contenders, plan.rounds, async ({ run }) => {
    const start = performance.now();
    for (let i = 0; i < plan.iterations; i++) await run();
    return ((performance.now() - start) * 1e6) / plan.iterations;
  });
}

/** Measures the processor time of one run of each contender, in milliseconds. */
export function measureCpu(contenders: readonly Contender[], rounds: number): Promise<Result[]> {
  return measure(contenders, rounds, async ({ run }) => {
    collectGarbage();
    const start = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
}

/** Runs one figure for each contender in turn, round by round. */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
  figure: (contender: Contender) => Promise<number>,
): Promise<Result[]> {
  const warmUp = Math.ceil(rounds / 3);
  const costs: number[][] = contenders.map(() => []);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const cost = await figure(contender);
      if (round >= 0) costs[i]?.push(cost);
    }
  }
  const [first = []] = costs;
  return contenders.map(({ name }, i) => {
    const own = costs[i] ?? [];
    return { name, cost: median(own), ratio: median(own.map((cost, round) => cost / (first[round] ?? Number.NaN))) };
  });
}

/** Needs `node --expose-gc`. */
export function collectGarbage(): void {
  globalThis.gc?.();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
