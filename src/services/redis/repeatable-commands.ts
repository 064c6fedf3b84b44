/**
 * Whether a command of Redis may be carried out twice without harm: it only reads, or the second time changes nothing.
 * The reply may differ the second time: a `DEL` that is repeated counts 0. False for every command that is not known,
 * and for the forms whose reply is the point, such as `SET … NX` for a lock.
 *
 * @example
 * ```ts
 * isRepeatable(['HGETALL', 'user:1']); // true
 * isRepeatable(['INCR', 'visits']); // false
 * ```
 */
export function isRepeatable(command: readonly unknown[]): boolean {
  const name = String(command[0]).toLowerCase();
  if (READS.has(name)) return true;
  const without = WRITES.get(name);
  if (without === undefined) return false;
  return !command.slice(2).some(word => typeof word === 'string' && without.includes(word.toUpperCase()));
}

/** True for a command that is known here, so that its name may be the name of an operation. */
export function isKnown(name: string): boolean {
  return READS.has(name) || WRITES.has(name) || COUNTED.has(name);
}

/** Commands that change nothing (the ACL category `read`), and those that only ask the server about itself. */
const READS: ReadonlySet<string> = new Set(
  `bitcount bitfield_ro bitpos dump exists expiretime geodist geohash geopos georadius_ro georadiusbymember_ro geosearch
  get getbit getrange hexists hget hgetall hkeys hlen hmget hrandfield hscan hstrlen hvals keys lcs lindex llen lolwut lpos
  lrange mget object pexpiretime pfcount pttl randomkey scan scard sdiff sinter sintercard sismember smembers smismember
  sort_ro srandmember sscan strlen substr sunion touch ttl type xinfo xlen xpending xrange xread xrevrange zcard zcount
  zdiff zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex
  zrevrangebyscore zrevrank zscan zscore zunion dbsize echo eval_ro evalsha_ro fcall_ro info ping time`.split(/\s+/),
);

/** Writes that leave the same behind the second time, and the words with which they no longer do. */
const WRITES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    set: ['NX', 'XX', 'GET', 'IFEQ', 'IFNE'],
    zadd: ['INCR'],
    ...Object.fromEntries(
      `del expire expireat geoadd getex hdel hmset hset lset mset persist pexpire pexpireat pfadd pfmerge psetex sadd setbit
      setex setrange srem sunionstore unlink xack xdel zrem zremrangebylex zremrangebyscore`
        .split(/\s+/)
        .map(name => [name, []]),
    ),
  }),
);

/** Writes that add up, or whose reply is the point. */
const COUNTED: ReadonlySet<string> = new Set(
  `append blmove blpop brpop decr decrby eval evalsha fcall getdel getset hincrby hincrbyfloat hsetnx incr incrby
  incrbyfloat linsert lmove lpop lpush lpushx lrem ltrim msetnx publish rename rpop rpush rpushx setnx smove spop xadd
  xreadgroup zincrby zpopmax zpopmin`.split(/\s+/),
);
