// What the scripts of the store have in common. All of it is constant: what comes from outside is an argument, never text.

/**
 * The keys, Redis' time, and a letter's record: what the store knows of it beside its text. All its values are strings.
 *
 * `order` holds every letter by the time of its death; `open` those that are dead or claimed, by queue and then by that
 * time; `records` what is redriven; `claims` the ends of the leases; `totals` the counts and sizes by state and queue.
 */
export const LUA_RECORDS = `local letters, index, order, open, records, claims, totals = unpack(KEYS)
-- A key of another type ends the script here, before it has written anything.
redis.call('XLEN', letters)
redis.call('HLEN', index)
redis.call('HLEN', totals)
for _, key in ipairs({order, open, records, claims}) do
  redis.call('ZCARD', key)
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function integer(number)
  return string.format('%.0f', number)
end

local function read(id)
  local record = redis.call('HGET', index, id)
  return record and cjson.decode(record)
end

local function write(record)
  redis.call('HSET', index, record.id, cjson.encode(record))
end

local function text_of(record)
  local found = redis.call('XRANGE', letters, record.entry, record.entry)
  return found[1] and found[1][2][4] or ''
end

-- One whose lease has ended is dead.
local function state_of(record)
  return record.state == 'claimed' and tonumber(record.lease) <= now and 'dead' or record.state
end

local function add(field, by)
  if redis.call('HINCRBY', totals, field, integer(by)) == 0 then
    redis.call('HDEL', totals, field)
  end
end

local function move(record, state)
  if record.state ~= state then
    add(record.state .. ':' .. record.queue, -1)
    add(state .. ':' .. record.queue, 1)
    record.state = state
  end
end

local function is_held(record, token)
  return record and record.state == 'claimed' and record.token == token
end
`;

/**
 * Adding and taking away letters. Whatever a script does, it begins by taking something away, where there is something to
 * take: without memory, Redis refuses only scripts that begin by adding, so no script stops half-way.
 */
export const LUA_CHANGES = `
local function count(record, sign)
  local bytes = sign * tonumber(record.bytes)
  add('letters', sign)
  add('bytes', bytes)
  add(record.state .. ':' .. record.queue, sign)
  add('bytes:' .. record.queue, bytes)
  if record.state == 'redriven' then
    add('record bytes', bytes)
  end
end

local function open_member(record)
  return redis.sha1hex(record.queue) .. ':' .. record.order
end

local function take_out(record)
  redis.call('XDEL', letters, record.entry)
  redis.call('ZREM', order, record.order)
  redis.call('ZREM', open, open_member(record))
  redis.call('ZREM', records, record.order)
  redis.call('ZREM', claims, record.id)
  redis.call('HDEL', index, record.id)
  count(record, -1)
end

local function put_in(record, text)
  record.entry = redis.call('XADD', letters, '*', 'id', record.id, 'letter', text)
  redis.call('ZADD', order, 0, record.order)
  if record.state == 'dead' then
    redis.call('ZADD', open, 0, open_member(record))
  elseif record.state == 'redriven' then
    redis.call('ZADD', records, 0, record.order)
  end
  write(record)
  count(record, 1)
end
`;

/** Going through letters that fit a filter, in the order of their death, so many at a time that Redis is not held up. */
export const LUA_SCAN = `
local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do
    set[item] = true
  end
  return set
end

-- By bytes: the locale of the server decides how Lua compares texts.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

local function named(ids, after)
  local places = {}
  for id in pairs(set_of(ids)) do
    local record = read(id)
    if record and is_before(after, record.order) then
      table.insert(places, record.order)
    end
  end
  table.sort(places, is_before)
  return places
end

local function ranged(filter, key, prefix, after, most)
  local low, high = '', ';'
  if filter.maxAgeMs then
    low = string.format('%016.0f', math.ceil(now - filter.maxAgeMs))
  end
  if filter.minAgeMs then
    high = string.format('%016.0f', math.floor(now - filter.minAgeMs) + 1)
  elseif filter.olderThanMs then
    high = string.format('%016.0f', math.ceil(now - filter.olderThanMs))
  end
  local from = after == '' and '[' .. prefix .. low or '(' .. prefix .. after
  local places = redis.call('ZRANGEBYLEX', key, from, '(' .. prefix .. high, 'LIMIT', 0, most)
  for i, place in ipairs(places) do
    places[i] = string.sub(place, #prefix + 1)
  end
  return places
end

-- Calls visit with each record that fits, until that says true. Gives where to go on: '' at the end.
local function scan(filter, key, prefix, after, most, visit)
  local operations, states = set_of(filter.operations), set_of(filter.states)
  local function fits(record)
    local died = tonumber(record.diedAt)
    return (not filter.queue or record.queue == filter.queue)
      and (not filter.operations or operations[record.operation])
      and (not filter.errorType or record.errorType == filter.errorType)
      and (not filter.reason or record.reason == filter.reason)
      and (not filter.states or states[state_of(record)])
      and (not filter.minAgeMs or now - died >= filter.minAgeMs)
      and (not filter.maxAgeMs or now - died <= filter.maxAgeMs)
  end
  local places = filter.ids and named(filter.ids, after) or ranged(filter, key, prefix, after, most)
  for _, place in ipairs(places) do
    local record = read(string.sub(place, 18))
    if record and fits(record) and visit(record) then
      return place
    end
  end
  return not filter.ids and #places == most and places[#places] or ''
end

-- A reply holds a few megabytes at most.
local found, size = {}, 0
local function give(record, most)
  local text = text_of(record)
  table.insert(found, cjson.encode(record))
  table.insert(found, text)
  size = size + #text
  return #found >= 2 * most or size >= 4194304
end
`;
