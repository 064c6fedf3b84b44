/** What the process ends with. */
export const EXIT = {
  ok: 0,
  failed: 1,
  wrongUsage: 2,
  /** A store that cannot be reached, as in sysexits. */
  unavailable: 69,
  fault: 70,
} as const;
