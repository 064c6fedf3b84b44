import type { Published, ScenarioName } from './scenario.ts';

/**
 * What others have found, by scenario, number of processes and contender. The HotOS and OSDI papers tell whether and
 * at what load a system stays down; their numbers here come from a model of our own in another language, 3 to 6 runs
 * each. Brooker's are of the same kind, and agree with his published simulator.
 */
export const PUBLISHED: Readonly<Record<ScenarioName, Readonly<Record<number, Published>>>> = {
  hotos: {
    1: {
      none: ['128 to 217'],
      unlimited: ['never'],
      starts20: ['never'],
      starts10: ['never'],
      starts7: ['never'],
      starts5: ['400 to 519, never in 1'],
      window20: ['never'],
      windowSuccesses: ['151 to 248'],
      grpc10: ['128 to 217'],
      grpc1000: ['150 to 238'],
      aws5: ['140 to 222'],
      aws14: ['129 to 218'],
      successes20: ['128 to 217'],
      successes10: ['128 to 217'],
    },
    10: {
      none: ['165 to 193'],
      unlimited: ['never'],
      starts20: ['never'],
      starts10: ['never'],
      starts7: ['never'],
      starts5: ['never'],
      window20: ['never'],
      windowSuccesses: ['183 to 209'],
      grpc10: ['165 to 195'],
      grpc1000: ['298 to 311'],
      aws5: ['210 to 234'],
      aws14: ['181 to 207'],
      successes20: ['169 to 197'],
      successes10: ['169 to 197'],
    },
  },
  osdi: {
    1: {
      none: ['16 to 20', '1.13 to 1.18'],
      unlimited: ['never', '5.35 to 5.52'],
      jitter: ['never', '5.28 to 5.47'],
      starts10: ['33 to 35', '1.16 to 1.29'],
      finagle: ['never', '1.74 to 1.86'],
      grpc10: ['16 to 20', '1.13 to 1.18'],
      grpc1000: ['39 to 45', '2.17 to 2.33'],
      aws14: ['17 to 22', '1.13 to 1.26'],
      capacity100: ['21 to 24', '1.27 to 1.42'],
      successes10: ['16 to 20', '1.11 to 1.20'],
    },
    100: {
      none: ['13 to 18', '1.14 to 1.19'],
      unlimited: ['never', '5.39 to 5.48'],
      jitter: ['never', '5.20 to 5.38'],
      starts10: ['88 to 124', '2.50 to 2.80'],
      finagle: ['never', '5.39 to 5.48'],
      grpc10: ['29 to 40', '1.75 to 1.98'],
      grpc1000: ['never', '5.21 to 5.33'],
      aws14: ['184 to 197', '2.94 to 3.25'],
      capacity100: ['never', '5.00 to 5.26'],
      successes10: ['58 to 71', '2.50 to 2.80'],
      shared10: ['16 to 20', '1.11 to 1.20'],
    },
  },
  brooker: {
    100: {
      none: twoLines('100/99.0 100/95.0 100/90.0 100/80.2 100/70.2 100/50.5 100/25.2 100/0'),
      unlimited: twoLines('101.0/100 105.3/100 111.2/99.99 125.1/99.8 141.8/99.2 186.9/93.7 273.6/68.4 400/0'),
      starts10: twoLines('101.0/100 105.1/99.99 109.3/98.6 110.3/88.3 110.4/77.3 110.4/55.2 110.4/27.7 110.4/0'),
      successes10: twoLines('101.0/100 105.2/99.98 109.3/98.3 109.1/87.4 108.0/75.6 105.7/53.0 103.0/26.1 100.5/0'),
      gate10: twoLines('101.0/99.98 105.1/99.8 103.9/93.6 100/80.1 100/70.0 100/50.1 100/25.2 100/0'),
    },
  },
  collapse: {
    1: {
      none: ['40.7'],
      unlimited: ['8.2', '4 of 5'],
      slow: ['39.6'],
      starts20: ['39.6'],
      starts10: ['39.8'],
      successes20: ['40.1'],
      successes10: ['39.8'],
    },
  },
  layers: {},
};

function twoLines(cells: string): string[] {
  return cells.split(' ').map(cell => cell.replace('/', '\n'));
}
