-- What wrk sends and counts: bodies from a file in turn, each at its time, and how long what was
-- answered with 200 took. Arguments: the file of bodies, requests a second in all (0: as fast as
-- they are answered), connections.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment_t;
  int clock_gettime(int clock, moment_t *now);
]]
local moment = ffi.new("moment_t")
local function microseconds()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) * 1e6 + math.floor(tonumber(moment.nanoseconds) / 1000)
end

local bodies, place, pause = {}, 0, 0
took, statuses, threads = {}, {}, {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  for line in io.lines(args[1]) do
    bodies[#bodies + 1] = line
  end
  local rate, connections = tonumber(args[2]), tonumber(args[3])
  pause = rate > 0 and 1000 * connections / rate or 0
  math.randomseed(7)
end

-- Exponential, so that requests come as those of independent callers do.
function delay()
  return pause > 0 and math.floor(-pause * math.log(1 - math.random())) or 0
end

function request()
  place = place % #bodies + 1
  return wrk.format("POST", "/v1/search", {
    ["Content-Type"] = "application/json",
    ["Accept-Encoding"] = "identity",
    ["X-Request-ID"] = string.format("%.0f", microseconds()),
  }, bodies[place])
end

function response(status, headers)
  statuses[status] = (statuses[status] or 0) + 1
  if status == 200 then
    local sent = tonumber(headers["X-Request-ID"] or headers["x-request-id"])
    if sent then
      took[#took + 1] = microseconds() - sent
    end
  end
end

function done(summary)
  local all = threads[1]:get("took")
  table.sort(all)
  local parts = {}
  for code, count in pairs(threads[1]:get("statuses")) do
    parts[#parts + 1] = string.format('"%d": %d', code, count)
  end
  local function percentile(share)
    return #all > 0 and all[math.max(1, math.ceil(share * #all))] / 1000 or 0
  end
  io.write(string.format(
    '\nRESULT {"seconds": %.3f, "statuses": {%s}, "p50": %.2f, "p99": %.2f, "errors": %d}\n',
    summary.duration / 1e6, table.concat(parts, ", "), percentile(0.5), percentile(0.99),
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
