export { FakeClock } from './fake-clock.ts';
export { type CallRecorder, type RecordedAttempt, type RecordedCall, recordCalls } from './recorder.ts';
