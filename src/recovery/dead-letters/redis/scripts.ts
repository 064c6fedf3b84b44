import type { Script } from '../../../limits/redis/script-runner.ts';
import { DROPPED_AT_ONCE } from '../dropped-at-once.ts';
import { OWNERS_LENGTH } from '../past-owners.ts';
import { LUA_CHANGES, LUA_RECORDS, LUA_SCAN } from './lua-parts.ts';

/** How many letters a script goes through. */
export const SCANNED_AT_ONCE = 250;

/**
 * Record, text, `maxAgeMs`, `maxCount`, `maxBytes`, `whenFull`, and how many letters of how many bytes have gone for it already. Gives
 * what became of it (`stored`, `present`, `full`, or `again` when it must be asked once more), how many letters had to go, and
 * which limit is reached, or what to ask again with.
 */
export const putScript: Script = {
  sha: 'cbf482af48fca6d539a88abab5023e70ef47f902',
  lua: `${LUA_RECORDS}${LUA_CHANGES}${LUA_SCAN}
local record, text = cjson.decode(ARGV[1]), ARGV[2]
local max_count, max_bytes, may_drop = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == 'drop-oldest'
local bytes = tonumber(record.bytes)
local gone, freed = tonumber(ARGV[7]), tonumber(ARGV[8])

local evicted = 0
local function drop(old)
  take_out(old)
  if old.state ~= 'redriven' then
    evicted = evicted + 1
  end
end

scan({olderThanMs = tonumber(ARGV[3])}, order, '', '', 100, function(old)
  if state_of(old) ~= 'claimed' then
    drop(old)
  end
end)
if read(record.id) then
  return {'present', evicted}
end

local function total(field)
  return tonumber(redis.call('HGET', totals, field) or 0)
end

local function is_full()
  return total('letters') >= max_count or total('bytes') + bytes > max_bytes
end

-- Where the limits were lowered, the letters that follow drop the rest.
local function is_enough(letters_gone, bytes_gone)
  return gone + letters_gone >= ${DROPPED_AT_ONCE} and freed + bytes_gone >= bytes and bytes <= max_bytes
end

if is_full() then
  -- What would be left if all went that may go: nothing is dropped in vain.
  local stays, staying = total('letters') - redis.call('ZCARD', records), total('bytes') - total('record bytes')
  if may_drop then
    stays, staying = 0, 0
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', claims, '(' .. integer(now), '+inf')) do
      local claimed = read(id)
      stays, staying = stays + 1, staying + (claimed and tonumber(claimed.bytes) or 0)
    end
  end
  if not is_enough(total('letters') - stays, total('bytes') - staying) then
    if stays >= max_count then
      return {'full', evicted, 'maxCount'}
    elseif staying + bytes > max_bytes then
      return {'full', evicted, 'maxBytes'}
    end
  end
end
local dropped, dropped_bytes = 0, 0
for _, key in ipairs(may_drop and {records, order} or {records}) do
  local after = '-'
  while is_full() and not is_enough(dropped, dropped_bytes) do
    if dropped >= ${SCANNED_AT_ONCE} then
      return {'again', evicted, integer(gone + dropped), integer(freed + dropped_bytes)}
    end
    local place = redis.call('ZRANGEBYLEX', key, after, '+', 'LIMIT', 0, 1)[1]
    if not place then
      break
    end
    local old = read(string.sub(place, 18))
    if old and state_of(old) ~= 'claimed' then
      drop(old)
      dropped, dropped_bytes = dropped + 1, dropped_bytes + tonumber(old.bytes)
    end
    after = '(' .. place
  end
end
put_in(record, text)
return {'stored', evicted}
`,
};

/** Id. Gives the time, and its record and text where there is such a letter. */
export const getScript: Script = {
  sha: '2d7765fb2feb6d0a249e8b673cf48b7e2a4328e2',
  lua: `${LUA_RECORDS}
local record = read(ARGV[1])
if not record then
  return {integer(now), ''}
end
return {integer(now), '', cjson.encode(record), text_of(record)}
`,
};

/** Filter, where to begin, how many. Gives the time, where to go on, and records and texts by turns. */
export const listScript: Script = {
  sha: '2956a78983cbcb0d7998141fbb669a533469587c',
  lua: `${LUA_RECORDS}${LUA_SCAN}
local most = tonumber(ARGV[3])
local cursor = scan(cjson.decode(ARGV[1]), order, '', ARGV[2], ${SCANNED_AT_ONCE}, function(record)
  return give(record, most)
end)
return {integer(now), cursor, unpack(found)}
`,
};

/** Filter, where to begin, how many, owner, token, milliseconds of the lease, mark of the owner. Gives the same as the list. */
export const claimScript: Script = {
  sha: '50075de98adcb1ac258cafe288abc18de6bc58fd',
  lua: `${LUA_RECORDS}${LUA_SCAN}
local filter, most, owner, token = cjson.decode(ARGV[1]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local lease, mark = integer(math.ceil(now + tonumber(ARGV[6]))), ARGV[7]
local key, prefix = order, ''
if filter.queue then
  key, prefix = open, redis.sha1hex(filter.queue) .. ':'
end
local cursor = scan(filter, key, prefix, ARGV[2], ${SCANNED_AT_ONCE}, function(record)
  local owners = record.owners or ''
  if state_of(record) ~= 'dead' or string.find(owners, mark, 1, true) then
    return false
  end
  redis.call('ZREM', claims, record.id)
  move(record, 'claimed')
  record.token, record.owner, record.lease = token, owner, lease
  record.owners = string.sub(owners .. mark, -${OWNERS_LENGTH})
  redis.call('ZADD', claims, lease, record.id)
  write(record)
  return give(record, most)
end)
return {integer(now), cursor, unpack(found)}
`,
};

/** Id, token, milliseconds. Gives 1, or 0 when the claim is lost. */
export const renewScript: Script = {
  sha: 'e8162b9d28c55ecf342ff4f7adba500fcd66c34f',
  lua: `${LUA_RECORDS}
local record = read(ARGV[1])
if not is_held(record, ARGV[2]) then
  return 0
end
record.lease = integer(math.ceil(now + tonumber(ARGV[3])))
redis.call('ZREM', claims, record.id)
redis.call('ZADD', claims, record.lease, record.id)
write(record)
return 1
`,
};

/** Id, token. Gives 1, or 0 when the claim is lost. */
export const releaseScript: Script = {
  sha: 'b0fb295cc78612ceaad7d41e2cf125c40ac0e2c6',
  lua: `${LUA_RECORDS}
local record = read(ARGV[1])
if not is_held(record, ARGV[2]) then
  return 0
end
redis.call('ZREM', claims, record.id)
move(record, 'dead')
record.token, record.owner, record.lease = nil, nil, nil
write(record)
return 1
`,
};

/**
 * Id, the entry of the stream that was read, token, the new record, the new text. Without a token the letter must be
 * quarantined; with an empty text it keeps its own. Gives 1, or 0 when the letter is not as it was read.
 */
export const changeScript: Script = {
  sha: '7816a473eb7f944c5be05578928b9f81068e813f',
  lua: `${LUA_RECORDS}${LUA_CHANGES}
local record, token = read(ARGV[1]), ARGV[3]
if not record or record.entry ~= ARGV[2] then
  return 0
end
local changed, text = cjson.decode(ARGV[4]), ARGV[5]
if token == '' then
  if record.state ~= 'quarantined' then
    return 0
  end
elseif is_held(record, token) then
  changed.owners = record.owners
else
  return 0
end
if text == '' then
  text, changed.bytes = text_of(record), record.bytes
end
take_out(record)
put_in(changed, text)
return 1
`,
};

/** Filter, where to begin. Deletes what fits and nobody works on. Gives where to go on, how many, and how many were no records. */
export const removeScript: Script = {
  sha: '895b9e318cca71d988564be9ed032a42df3c5c5b',
  lua: `${LUA_RECORDS}${LUA_CHANGES}${LUA_SCAN}
local removed, lost = 0, 0
local cursor = scan(cjson.decode(ARGV[1]), order, '', ARGV[2], ${SCANNED_AT_ONCE}, function(record)
  if state_of(record) ~= 'claimed' then
    take_out(record)
    removed = removed + 1
    lost = lost + (record.state == 'redriven' and 0 or 1)
  end
  return removed == ${SCANNED_AT_ONCE}
end)
return {cursor, removed, lost}
`,
};

/**
 * Gives the totals, names and values by turns; the queue of each letter whose lease has ended; and queues and the places
 * of their oldest letters by turns.
 */
export const statsScript: Script = {
  sha: 'e7863cedb7088d26dd30d33554eb62593b3f7c29',
  lua: `${LUA_RECORDS}
local all = redis.call('HGETALL', totals)
local ended = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', claims, '-inf', integer(now))) do
  local record = read(id)
  if record then
    table.insert(ended, record.queue)
  end
end
local oldest = {}
for i = 1, #all, 2 do
  local queue = string.sub(all[i], 1, 6) == 'bytes:' and string.sub(all[i], 7)
  local prefix = queue and redis.sha1hex(queue) .. ':'
  local place = queue and redis.call('ZRANGEBYLEX', open, '[' .. prefix, '(' .. prefix .. ';', 'LIMIT', 0, 1)[1]
  if place then
    table.insert(oldest, queue)
    table.insert(oldest, string.sub(place, #prefix + 1))
  end
end
return {all, ended, oldest}
`,
};
