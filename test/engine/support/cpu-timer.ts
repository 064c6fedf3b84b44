/**
 * Tells the processor time that this process has taken since, in milliseconds. The time on the wall is no measure of what
 * code costs: on a machine that is busy with others, a millisecond of work may take a second.
 */
export function startCpuTimer(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
