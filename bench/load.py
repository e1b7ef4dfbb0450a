"""One run of `wrk`, and what it measured."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("calls.lua")
MISSING = "The benchmark needs wrk: install Debian's package `wrk` (apt-get install wrk)."


@dataclass(frozen=True, slots=True)
class Measured:
    """Calls a second, latencies in milliseconds, and what went wrong."""

    per_second: float
    p50: float
    p99: float
    failed: int
    # Answers that were no errors.
    admitted: int


def is_possible() -> bool:
    return shutil.which("wrk") is not None


def run(
    url: str,
    key: str,
    *,
    plan: str,
    users: int,
    connections: int,
    seconds: int,
    body: str = "",
    items: int = 1,
    zipf: bool = False,
    core: int | None = None,
) -> Measured:
    """Metered calls from one thread of wrk over kept-alive connections, on any core or this one.

    A body is sent as JSON with the user in place of `USER`, and without X-User-Id; one that counts many `items` is
    measured by them. Users are drawn uniformly, or by Zipf's law with exponent 1.
    """
    variables = {"BENCH_KEY": key, "BENCH_PLAN": plan, "BENCH_USERS": str(users)}
    variables |= ({"BENCH_BODY": body} if body else {}) | ({"BENCH_ZIPF": "1"} if zipf else {})
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT), url],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=True,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    requests, micros, p50, p99, refused, broken = (int(word) for word in line.split()[1:])
    return Measured(items * requests / (micros / 1e6), p50 / 1000, p99 / 1000, refused + broken, requests - refused)
