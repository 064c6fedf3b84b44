import { read } from '../../engine/read.ts';
import type { Script } from './script-runner.ts';

/**
 * What the fleet last said of a circuit: a version, by Redis' clock, whether it is open, and until when. An asker may
 * say something new first. How long it stays open is kept too, so that a clock that was ahead cannot hold it for hours.
 */
export const breakerScript: Script = {
  sha: 'c3dbf47b9576afd5870f28272d1185c621be4819',
  lua: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local says, open_ms = ARGV[1], tonumber(ARGV[2])
local write = string.format
if says ~= '' then
  redis.call('HSET', KEYS[1], 'version', time[1] .. '.' .. write('%06d', tonumber(time[2])), 'says', says,
    'until', write('%.0f', now + open_ms), 'open_ms', write('%.0f', open_ms))
  redis.call('PEXPIRE', KEYS[1], write('%.0f', open_ms + 60000))
end
local stored = redis.call('HMGET', KEYS[1], 'version', 'says', 'until', 'open_ms')
local left = 0
if stored[2] == 'open' and tonumber(stored[3]) and tonumber(stored[4]) then
  left = math.max(0, math.min(tonumber(stored[3]) - now, tonumber(stored[4])))
end
return {stored[1] or '', stored[2] or '', left}
`,
};

/** What a process tells the fleet. */
export type BreakerNews = { readonly says: 'open'; readonly openMs: number } | { readonly says: 'closed' };

/** What the fleet has said last; nothing when the version is empty. */
export interface BreakerWord {
  readonly version: string;
  readonly says: 'open' | 'closed' | '';
  /** How long the circuit is to stay open from now on. */
  readonly leftMs: number;
}

/** The arguments of the script. */
export function breakerArguments(news: BreakerNews | undefined): string[] {
  return [news?.says ?? '', String(news?.says === 'open' ? Math.ceil(news.openMs) : 0)];
}

/** Reads a reply of the script. @throws TypeError for anything that it cannot have answered */
export function readWord(reply: unknown): BreakerWord {
  const [version, says, leftMs] = [read(reply, 0), read(reply, 1), Number(read(reply, 2))];
  const isWord = typeof version === 'string' && (says === 'open' || says === 'closed' || says === '');
  if (isWord && Number.isSafeInteger(leftMs) && leftMs >= 0) return { version, says, leftMs };
  throw new TypeError('The reply of Redis is not that of the breaker script');
}
