import { read } from '../../engine/read.ts';
import type { Script } from './script-runner.ts';

/**
 * The bucket in Redis. All amounts are in whole units; the time is Redis' own, in milliseconds.
 *
 * The key holds the tokens at a time, all that was granted, and the time of its birth. A key that is not there starts at
 * half: an idle one is kept for longer than it takes to fill, so it is new, or Redis has lost it. When Redis has lost
 * only the last writes, as in a failover, it knows of fewer grants than those who ask, and takes off the difference.
 *
 * A request that comes too late is refused: nobody waits for its answer, and a client may have sent it twice.
 */
export const budgetScript: Script = {
  sha: '8b7d322f5907d1eb6fa622988e2e64c4155004d8',
  lua: `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local capacity, rate, valid_until = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local deposit, need, want = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local instances, taken = tonumber(ARGV[7]), tonumber(ARGV[8])
local seen_birth, seen_granted = tonumber(ARGV[9]), tonumber(ARGV[10])

if valid_until > 0 and now > valid_until then
  return {0, now}
end

local stored = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'granted', 'birth')
local tokens, at, granted, birth =
  tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4])
if not (tokens and at and granted and birth) or tokens ~= tokens or not (at >= 0 and granted >= 0) then
  tokens, at, granted, birth = math.max(math.floor(capacity / 2), need), now, 0, now
elseif birth == seen_birth and granted < seen_granted then
  tokens = tokens - (seen_granted - granted)
  granted = seen_granted
end
-- Beyond this, units would no longer be counted exactly.
if granted > 4503599627370496 then
  granted, birth = 0, now
end

-- After a failover the clock may be behind the one that wrote the stamp.
if at > now then
  at = now
end
tokens = math.min(capacity, tokens + math.floor((now - at) * rate) + deposit)
tokens = math.max(tokens, -capacity)

-- Of what is stored, one process gets its share in a second; of what flows in, as much as there is.
local share = math.floor((tokens + taken) / instances + rate * 1000) - taken
if taken == 0 and share < need then
  share = need
end
local room = math.min(tokens, share, want)
local grant = 0
if room >= need then
  grant = math.floor(room / need) * need
end
tokens = tokens - grant
granted = granted + grant

local wait = 0
if tokens < need then
  wait = rate > 0 and math.min(math.ceil((need - tokens) / rate), 3600000) or -1
end
local keep = rate > 0 and math.min(capacity / rate, 2592000000) or 82800000
local write = string.format
redis.call('HSET', KEYS[1], 'tokens', write('%.0f', tokens), 'at', write('%.0f', at > now and at or now),
  'granted', write('%.0f', granted), 'birth', write('%.0f', birth))
redis.call('PEXPIRE', KEYS[1], write('%.0f', keep + 3600000))
return {1, now, grant, tokens, wait, birth, granted}
`,
};

/** How the bucket is kept: the same in every process. */
export interface BudgetTerms {
  readonly capacityUnits: number;
  readonly unitsPerMs: number;
  /** The smallest cost of a retry: nothing smaller is granted. */
  readonly needUnits: number;
  readonly instances: number;
}

/** What a process asks for, in units. */
export interface BudgetRequest {
  /** What it adds. */
  readonly deposit: number;
  /** What it would like to have. */
  readonly want: number;
  /** What it was granted in this second already. */
  readonly taken: number;
}

/** What a process remembers of the bucket, to notice when Redis forgets. */
export interface BudgetMemory {
  readonly birth: number;
  readonly granted: number;
}

/** What Redis answers: `late` when the request was no longer valid, and changed nothing. */
export type BudgetAnswer =
  | { readonly kind: 'late'; readonly redisNow: number }
  | {
      readonly kind: 'done';
      readonly redisNow: number;
      /** Units for the asker. */
      readonly granted: number;
      /** Units left; less than 0 when Redis had forgotten grants. */
      readonly balance: number;
      /** Until the next retry can be granted: 0 for now, undefined when only deposits bring tokens. */
      readonly waitMs: number | undefined;
      readonly memory: BudgetMemory;
    };

/** The arguments of the script. `validUntil` is by Redis' clock; 0 for a request that is always valid. */
export function scriptArguments(
  terms: BudgetTerms,
  request: BudgetRequest,
  validUntil: number,
  memory: BudgetMemory,
): string[] {
  const { capacityUnits, unitsPerMs, needUnits, instances } = terms;
  const { deposit, want, taken } = request;
  const { birth, granted } = memory;
  return [capacityUnits, unitsPerMs, validUntil, deposit, needUnits, want, instances, taken, birth, granted].map(
    String,
  );
}

/** Reads a reply of the script. @throws TypeError for anything that it cannot have answered */
export function readAnswer(reply: unknown): BudgetAnswer {
  const numbers = [0, 1, 2, 3, 4, 5, 6].map(i => toNumber(read(reply, i)));
  const [kind, redisNow, granted, balance, waitMs, birth, grantedInAll] = numbers as number[] & { length: 7 };
  if (kind === 0 && isCount(redisNow)) return { kind: 'late', redisNow };
  if (
    kind === 1 &&
    isCount(redisNow) &&
    isCount(granted) &&
    Number.isSafeInteger(balance) &&
    Number.isSafeInteger(waitMs) &&
    isCount(birth) &&
    isCount(grantedInAll)
  ) {
    return {
      kind: 'done',
      redisNow,
      granted,
      balance: balance as number,
      waitMs: (waitMs as number) < 0 ? undefined : waitMs,
      memory: { birth, granted: grantedInAll },
    };
  }
  throw new TypeError('The reply of Redis is not that of the budget script');
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  // As clients give them back that were told to keep large numbers exact.
  if (typeof value === 'bigint' || (typeof value === 'string' && /^-?\d{1,16}$/.test(value))) return Number(value);
  return undefined;
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
