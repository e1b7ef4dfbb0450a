-- Metered calls of users drawn uniformly; see bench/load.py for the variables.
local users = tonumber(os.getenv("BENCH_USERS"))
local headers = {
  ["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
  ["X-User-Plan"] = os.getenv("BENCH_PLAN"),
}
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  math.randomseed(os.time() * 31 + number)
end

function request()
  headers["X-User-Id"] = "user_" .. math.random(1, users)
  return wrk.format("POST", "/api/data", headers)
end

function done(summary, latency)
  io.write(string.format(
    "RESULT %d %d %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  ))
end
