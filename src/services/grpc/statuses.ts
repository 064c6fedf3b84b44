/** The names of the statuses of gRPC, by their number. */
export const STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** The name of a status of gRPC. */
export type StatusName = (typeof STATUSES)[number];

/** The name of a number that somebody calls a status. */
export function nameOfStatus(code: unknown): StatusName | undefined {
  return typeof code === 'number' ? STATUSES[code] : undefined;
}
