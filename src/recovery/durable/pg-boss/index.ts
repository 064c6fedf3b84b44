export { HandedOverError, isHandedOver } from '../../dead-letters/handed-over-error.ts';
export type { JobResult, WaitCounts } from '../durable-calls.ts';
export type { WaitEvent, WaitEventName, WaitsOptions } from '../waits-options.ts';
export {
  type PgBossClient,
  type PgBossJob,
  type PgBossJobResult,
  PgBossWaits,
  type PgBossWaitsOptions,
} from './pg-boss-waits.ts';
