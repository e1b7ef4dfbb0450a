-- Metered calls of users drawn uniformly or by Zipf's law; see bench/load.py for the variables.
local users = tonumber(os.getenv("BENCH_USERS"))
local body = os.getenv("BENCH_BODY")
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
  ["X-User-Plan"] = os.getenv("BENCH_PLAN"),
}
local is_zipf = os.getenv("BENCH_ZIPF") ~= nil
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  math.randomseed(os.time() * 31 + number)
end

-- The path is that of the address wrk was given.
function request()
  -- With exponent 1, the logarithm of the rank is uniform.
  local rank = is_zipf and math.floor(users ^ math.random()) or math.random(1, users)
  local user = "user_" .. rank
  if body then
    headers["Content-Type"] = "application/json"
    return wrk.format("POST", nil, headers, (body:gsub("USER", user)))
  end
  headers["X-User-Id"] = user
  return wrk.format("POST", nil, headers)
end

function done(summary, latency)
  io.write(string.format(
    "RESULT %d %d %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  ))
end
