import { type DashboardsConfig, DEFAULT_OBJECTIVE } from '../../dashboards/src/config.ts';
import type { Rule } from './finding.ts';
import { number } from './say.ts';

/** Thresholds of alerts that no policy of as many attempts as they are meant for can reach. */
export const unreachableThreshold: Rule<DashboardsConfig> = {
  code: 'unreachable-threshold',
  severity: 'error',
  why: 'An alert that cannot fire is taken for good news.',
  fix: 'Lower the factor, the objective or the threshold; or set maxAttempts to what your policies have.',
  find: ({ windows, objective, maxAttempts, stormAmplification }) => {
    const ratio = objective === 'exported' ? DEFAULT_OBJECTIVE : objective;
    const most = maxAttempts - 1;
    const burns = windows.flatMap(({ factor }, i) =>
      factor * ratio >= most
        ? [
            {
              where: `windows[${i}].factor`,
              what: `${number(factor)} times ${number(ratio)} is ${number(factor * ratio)} retries per call; ${number(maxAttempts)} attempts allow ${number(most)}.`,
            },
          ]
        : [],
    );
    return stormAmplification >= maxAttempts
      ? [
          ...burns,
          {
            where: 'stormAmplification',
            what: `It is ${number(stormAmplification)}, and no call makes more than ${number(maxAttempts)} attempts.`,
          },
        ]
      : burns;
  },
};
