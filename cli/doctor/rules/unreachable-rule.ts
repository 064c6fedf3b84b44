import type { ServiceMatch } from 'retryscope/policy-file';
import type { FileView } from '../file-view.ts';
import type { Rule } from '../finding.ts';

/** Rules that never come to hold. */
export const unreachableRule: Rule<FileView> = {
  code: 'unreachable-rule',
  severity: 'warning',
  why: 'The first rule that fits holds, so this one is never asked.',
  fix: 'Put the narrower rule first.',
  find: ({ services }) =>
    services.flatMap(({ where, match }, i) => {
      const before = services.slice(0, i).find(earlier => covers(earlier.match, match));
      return before === undefined ? [] : [{ where, what: `Every call that it fits fits ${before.where} as well.` }];
    }),
};

/** True when `wide` fits whatever `narrow` fits. */
export function covers(wide: ServiceMatch, narrow: ServiceMatch): boolean {
  return (
    wide.kind === narrow.kind &&
    (wide.host === undefined || coversHost(wide.host.toLowerCase(), narrow.host?.toLowerCase())) &&
    (wide.methods === undefined || narrow.methods?.every(method => wide.methods?.includes(method)) === true) &&
    (wide.route === undefined || coversRoute(wide.route, narrow.route)) &&
    (wide.name === undefined || coversName(comparable(wide, wide.name), comparable(narrow, narrow.name)))
  );
}

function coversHost(wide: string, narrow: string | undefined): boolean {
  if (narrow === undefined) return false;
  if (wide === narrow) return true;
  const port = /:\d+$/;
  const bare = port.test(wide) ? narrow : narrow.replace(port, '');
  return wide.startsWith('*.') ? bare.endsWith(wide.slice(1)) : bare === wide;
}

function coversRoute(wide: string, narrow: string | undefined): boolean {
  if (narrow === undefined) return false;
  const [outer, inner] = [wide.split('/'), narrow.split('/')];
  const isOpen = outer.at(-1) === '*';
  if (!isOpen && (inner.at(-1) === '*' || inner.length !== outer.length)) return false;
  if (isOpen && inner.length < outer.length) return false;
  const fixed = isOpen ? outer.slice(0, -1) : outer;
  return fixed.every((part, i) => part === inner[i] || (/^(:|\{)/.test(part) && inner[i] !== '' && inner[i] !== '*'));
}

/** Commands and words of SQL are the same in capitals and small letters. */
function comparable<N extends string | undefined>({ kind }: ServiceMatch, name: N): N {
  return (kind === 'redis' || kind === 'database' ? name?.toLowerCase() : name) as N;
}

function coversName(wide: string, narrow: string | undefined): boolean {
  if (narrow === undefined) return false;
  return wide.endsWith('*') ? narrow.startsWith(wide.slice(0, -1)) : wide === narrow;
}
