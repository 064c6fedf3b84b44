/**
 * How much longer `work` takes for the larger input: the ratio of processor times, the smallest of several rounds on
 * either side. Times below `floorMs` count as that much, so that noise in tiny ones does not matter. Other load on the
 * machine can only make it larger, so the smallest of a few tries is the truest.
 */
export function growthOf(small: () => void, large: () => void, floorMs: number): number {
  const tries = Array.from({ length: 4 }, () => timeOf(large) / Math.max(timeOf(small), floorMs));
  return Math.min(...tries);
}

function timeOf(work: () => void): number {
  const rounds = Array.from({ length: 4 }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.min(...rounds);
}
