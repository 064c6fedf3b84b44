import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** One name for calls of different policies. */
export const operationTwice: Rule<FileView> = {
  code: 'operation-twice',
  severity: 'warning',
  why: 'Metrics and alerts mix the calls of both, and one of them may run inside the other.',
  fix: 'Give each its own operation.',
  find: ({ operations, services }) => {
    const all = [...operations, ...services].filter(({ operation }) => operation !== undefined);
    return [...Map.groupBy(all, ({ operation }) => operation)].flatMap(([operation, same]) => {
      const [first, other] = [same[0], same.find(({ policy }) => policy !== same[0]?.policy)];
      const isLayered = operations.some(({ where }) => where === first?.where) && same.length > 1;
      const second = other ?? (isLayered ? same[1] : undefined);
      if (first === undefined || second === undefined) return [];
      return [{ where: second.where, what: `Operation ${operation} is that of ${first.where}, too.` }];
    });
  },
};
