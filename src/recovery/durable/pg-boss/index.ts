export { HandedOverError, isHandedOver } from '../../dead-letters/handed-over-error.ts';
export type { JobResult } from '../job-result.ts';
export type { WaitCounts, WaitEvent, WaitEventName, WaitsOptions } from '../waits-options.ts';
export {
  type PgBossClient,
  type PgBossJob,
  type PgBossJobResult,
  PgBossWaits,
  type PgBossWaitsOptions,
} from './pg-boss-waits.ts';
