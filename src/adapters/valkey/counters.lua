-- The shared counters inside Valkey or Redis: one call, one step that nothing can interleave with, in the time of the
-- server. Says the same as src/ports/central-counters-arithmetic.ts; the contract suite runs both.
--
--   KEYS[1]   hash of the nodes of one hash tag:  node → run:since:seen:ttl    (since names one life of the node)
--   KEYS[2…]  one hash for each counter:          u → units, t → server time of u, n:<node> → units:since
--   ARGV      operation, node, run, ttl, longest exchange, then six for each counter: kind, amount, a, b, x, y
--             rolling: a = window, b = burst · calendar: b = end of the period · times in milliseconds
--   returns   nodes that live, then what the operation says, as text that keeps every bit of a number
--
-- Bounds: a counter's hash has one field for each node that lives; every key expires by itself.

local RETRY_MS = 1000

local function text(value)
  return string.format('%.17g', value)
end

local function capacity_of(terms)
  if terms.kind == 'rolling' then return terms.b end
  return terms.amount
end

local function tolerance(capacity)
  return math.max(1e-6, capacity * 1e-12)
end

local function shift(counter, units)
  counter.units = math.max(0, counter.units + units)
end

local function remaining_of(counter, terms)
  local capacity = capacity_of(terms)
  return math.max(0, math.floor(capacity - counter.units + tolerance(capacity)))
end

-- Milliseconds; 0: now, -1: never.
local function wait_of(counter, terms, units)
  local capacity = capacity_of(terms)
  local missing = counter.units + units - capacity
  if missing <= tolerance(capacity) then return 0 end
  if units > capacity + tolerance(capacity) then return -1 end
  if terms.kind == 'rolling' then
    if terms.amount <= 0 then return -1 end
    return math.ceil(missing * terms.a / terms.amount)
  end
  if terms.kind == 'calendar' then return math.max(1, math.ceil(terms.b - counter.at)) end
  return RETRY_MS
end

local function reset_of(counter, terms)
  if counter.units <= tolerance(capacity_of(terms)) or terms.kind == 'concurrency' then return 0 end
  if terms.kind == 'calendar' then return math.max(0, math.ceil(terms.b - counter.at)) end
  if terms.amount <= 0 then return terms.a end
  return math.ceil(counter.units * terms.a / terms.amount)
end

-- Nodes that live: node → since. A node that lapsed, or comes with another run, begins a new life.
local function read_nodes(call)
  local lives, count = {}, 0
  local fields = redis.call('HGETALL', call.nodes_key)
  for at = 1, #fields, 2 do
    local run, since, seen, ttl = string.match(fields[at + 1], '^([^:]*):([^:]+):([^:]+):([^:]+)$')
    if since and call.now - tonumber(seen) <= tonumber(ttl) then
      lives[fields[at]] = since
      count = count + 1
      if fields[at] == call.node then
        call.known = run == call.run
        call.seen = tonumber(seen)
      end
    elseif call.writes then
      redis.call('HDEL', call.nodes_key, fields[at])
    end
  end
  call.lives = lives
  call.count = count
end

local function live(call)
  read_nodes(call)
  if call.lives[call.node] == nil then call.count = call.count + 1 end
  if not call.known then call.lives[call.node] = string.format('%.0f', call.now * 1000) end
  if call.known and call.now - call.seen < call.ttl / 8 then return end
  local entry = call.run .. ':' .. call.lives[call.node] .. ':' .. text(call.now) .. ':' .. text(call.ttl)
  redis.call('HSET', call.nodes_key, call.node, entry)
  redis.call('PEXPIRE', call.nodes_key, call.ttl * 2)
end

-- The counter as it stands now. Leases of lives that ended are left out, and removed when it is stored.
local function load(call, key, terms)
  local counter = { key = key, terms = terms, units = 0, at = call.now, leases = {}, ended = {}, held = 0 }
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    local name, value = fields[at], fields[at + 1]
    if name == 'u' then
      counter.units = tonumber(value)
    elseif name == 't' then
      counter.at = tonumber(value)
    else
      local units, since = string.match(value, '^([^:]+):(.+)$')
      local node = string.sub(name, 3)
      if call.lives[node] == since then
        counter.leases[node] = tonumber(units)
        counter.held = counter.held + tonumber(units)
      else
        counter.ended[#counter.ended + 1] = name
      end
    end
  end
  if terms.kind == 'concurrency' then
    counter.units = counter.held
  elseif terms.kind == 'rolling' then
    local elapsed = math.max(0, call.now - counter.at)
    counter.units = math.max(0, counter.units - elapsed * terms.amount / terms.a)
  end
  counter.at = call.now
  return counter
end

local function own_lease(call, counter)
  return counter.leases[call.node] or 0
end

local function set_lease(call, counter, units)
  counter.leases[call.node] = units > 0 and units or nil
  counter.lease_changed = true
end

local function keep_of(call, counter)
  if counter.terms.kind == 'calendar' then
    return math.max(0, counter.terms.b - counter.at + call.longest)
  end
  if next(counter.leases) ~= nil then return call.longest end
  return reset_of(counter, counter.terms)
end

local function store(call, counter)
  local keep = keep_of(call, counter)
  if keep <= 0 then return redis.call('DEL', counter.key) end
  redis.call('HSET', counter.key, 'u', text(counter.units), 't', text(counter.at))
  if counter.lease_changed then
    local field = 'n:' .. call.node
    local units = own_lease(call, counter)
    if units > 0 then
      redis.call('HSET', counter.key, field, text(units) .. ':' .. call.lives[call.node])
    else
      redis.call('HDEL', counter.key, field)
    end
  end
  for _, field in ipairs(counter.ended) do
    if not (counter.lease_changed and field == 'n:' .. call.node) then
      redis.call('HDEL', counter.key, field)
    end
  end
  redis.call('PEXPIRE', counter.key, string.format('%.0f', math.ceil(keep)))
end

local function add_standing(reply, counter, terms)
  reply[#reply + 1] = text(remaining_of(counter, terms))
  reply[#reply + 1] = text(reset_of(counter, terms))
end

local operations = {}

function operations.take(call, reply)
  local before, refused, longest = {}, 0, 0
  for at, entry in ipairs(call.entries) do
    local counter = entry.counter
    before[counter.key] = before[counter.key] or counter.units
    local wait = wait_of(counter, entry.terms, entry.x)
    if wait == 0 then
      shift(counter, entry.x)
    elseif refused == 0 or (longest >= 0 and (wait < 0 or wait > longest)) then
      refused = at
      longest = wait
    end
  end
  for _, entry in ipairs(call.entries) do
    local counter = entry.counter
    if refused > 0 then
      counter.units = before[counter.key]
    elseif entry.terms.kind == 'concurrency' then
      set_lease(call, counter, own_lease(call, counter) + entry.x)
    end
  end
  if refused == 0 then
    for _, counter in pairs(call.counters) do store(call, counter) end
  end
  reply[#reply + 1] = text(refused)
  reply[#reply + 1] = text(longest)
  for _, entry in ipairs(call.entries) do add_standing(reply, entry.counter, entry.terms) end
end

function operations.adjust(call)
  for _, entry in ipairs(call.entries) do
    local units = entry.x
    if entry.terms.kind == 'concurrency' then
      units = math.max(units, -own_lease(call, entry.counter))
      set_lease(call, entry.counter, own_lease(call, entry.counter) + units)
    end
    shift(entry.counter, units)
  end
  for _, counter in pairs(call.counters) do store(call, counter) end
end

-- x = wanted, y = least
function operations.lease(call, reply)
  for _, entry in ipairs(call.entries) do
    local counter, terms = entry.counter, entry.terms
    local there, least, granted, wait = remaining_of(counter, terms), math.max(1, entry.y), 0, -1
    if there >= least then
      granted = math.min(there, math.max(least, entry.x))
      shift(counter, granted)
      set_lease(call, counter, own_lease(call, counter) + granted)
    elseif terms.kind ~= 'calendar' then
      wait = wait_of(counter, terms, least)
    end
    reply[#reply + 1] = text(granted)
    reply[#reply + 1] = text(wait)
    add_standing(reply, counter, terms)
  end
  for _, counter in pairs(call.counters) do
    if counter.lease_changed then store(call, counter) end
  end
end

-- x = spent, y = returned
function operations.settle(call)
  for _, entry in ipairs(call.entries) do
    local counter = entry.counter
    local outstanding = own_lease(call, counter)
    if entry.terms.kind == 'concurrency' then
      local ended = math.min(outstanding, entry.x + entry.y)
      shift(counter, -ended)
      set_lease(call, counter, outstanding - ended)
    else
      local covered = math.min(outstanding, entry.x)
      local given = math.min(outstanding - covered, entry.y)
      shift(counter, entry.x - covered - given)
      set_lease(call, counter, outstanding - covered - given)
    end
  end
  for _, counter in pairs(call.counters) do store(call, counter) end
end

-- Slots that the node holds, whatever is written here: after this store was lost, or an answer of it.
-- x = units held
function operations.hold(call)
  for _, entry in ipairs(call.entries) do
    shift(entry.counter, entry.x - own_lease(call, entry.counter))
    set_lease(call, entry.counter, entry.x)
    store(call, entry.counter)
  end
end

function operations.read(call, reply)
  for _, entry in ipairs(call.entries) do add_standing(reply, entry.counter, entry.terms) end
end

function operations.renew() end

local kinds = { r = 'rolling', c = 'calendar', h = 'concurrency' }

local function read_entries(call, keys, args)
  call.entries, call.counters = {}, {}
  for at = 2, #keys do
    local from = 6 + (at - 2) * 6
    local terms = {
      kind = kinds[args[from]],
      amount = tonumber(args[from + 1]),
      a = tonumber(args[from + 2]),
      b = tonumber(args[from + 3]),
    }
    local counter = call.counters[keys[at]] or load(call, keys[at], terms)
    call.counters[keys[at]] = counter
    call.entries[at - 1] = {
      counter = counter,
      terms = terms,
      x = tonumber(args[from + 4]),
      y = tonumber(args[from + 5]),
    }
  end
end

local function run(keys, args)
  local time = redis.call('TIME')
  local call = {
    nodes_key = keys[1],
    node = args[2],
    run = args[3],
    ttl = tonumber(args[4]),
    longest = tonumber(args[5]),
    now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000,
    writes = args[1] ~= 'read',
    known = false,
    seen = 0,
  }
  if args[1] == 'forget' then
    redis.call('HDEL', call.nodes_key, call.node)
    return {}
  end
  if call.writes then live(call) else read_nodes(call) end
  read_entries(call, keys, args)
  local reply = { text(call.count) }
  operations[args[1]](call, reply)
  return reply
end
