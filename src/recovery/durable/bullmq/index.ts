export { HandedOverError, isHandedOver } from '../../dead-letters/handed-over-error.ts';
export type { JobResult } from '../job-result.ts';
export type { WaitCounts, WaitEvent, WaitEventName, WaitsOptions } from '../waits-options.ts';
export {
  type BullmqJob,
  type BullmqJobOptions,
  type BullmqKeepJobs,
  type BullmqQueue,
  BullmqWaits,
  type BullmqWaitsOptions,
} from './bullmq-waits.ts';
