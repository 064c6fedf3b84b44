import * as original from 'exponential-backoff';
import { exponentialBackoff } from '../../../../instrumentation/libraries/exponential-backoff.ts';
import { addObserver } from '../../../../src/engine/default-observer.ts';

addObserver({ call: () => ({}) });
export const backOff: typeof original.backOff = (exponentialBackoff.patch({ ...original }) as typeof original).backOff;
