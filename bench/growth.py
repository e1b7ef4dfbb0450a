"""`make bench-growth`: the metered call over HTTP among 10 million counted customers, against 10 thousand.

    python -m bench.growth [--large 10000000] [--rounds 3] [--seconds 5]

Both databases are filled with customers who were counted an hour ago, then calls come for users drawn uniformly and by
Zipf's law. Results go to bench/growth-results.md.
"""

import argparse
import contextlib
import datetime
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.server import Server

from bench import facts, load
from bench.server import PLAN, account
from dream_api.core import clock, ids
from dream_api.core.db import FILE_NAME
from dream_api.core.db.sqlite import connect
from dream_api.core.settings import Settings

RESULTS = Path(__file__).with_name("growth-results.md")
SMALL = 10_000
_CHUNK = 100_000
# By how the users are drawn: what 10 million keep of the calls a second of 10 thousand, at the least.
TARGETS = {"Zipf": 0.6, "uniform": 0.35}


def fill(settings: Settings, customers: int) -> None:
    """As if each of them had been counted once, an hour ago."""
    connection = connect(settings.data / FILE_NAME)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -4000000")
    platform = connection.execute("SELECT max(no) FROM platforms").fetchone()[0]
    project = connection.execute("SELECT id FROM projects WHERE platform_no = ?", (platform,)).fetchone()[0]
    meter = connection.execute("SELECT meter_no FROM meters WHERE platform_no = ?", (platform,)).fetchone()[0]
    now = clock.now()
    period, _ = clock.month_of(now)
    began = time.monotonic()
    for first in range(1, customers + 1, _CHUNK):
        numbers = range(first, min(first + _CHUNK, customers + 1))
        connection.execute("BEGIN")
        for statement, rows in _statements(platform, project, meter, numbers, now, period):
            connection.executemany(statement, rows)
        connection.execute("COMMIT")
        print(f"\r  {numbers[-1]:,} customers, {time.monotonic() - began:.0f} s", end="", flush=True)
    print()
    connection.execute(
        "UPDATE sequences SET last = ? WHERE platform_no = ? AND series = 'customers'", (customers, platform)
    )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _statements(
    platform_no: int, project: str, meter: int, numbers: range, now: int, period: int
) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    hour = max(clock.hour_of(now) - clock.HOUR, period)
    yield (
        "INSERT INTO customers (platform_no, id, no, project_id, mode, user_id, status, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, 'test', ?, 'active', ?, ?)",
        ((platform_no, ids.new("cus"), no, project, f"user_{no}", now, now) for no in numbers),
    )
    yield (
        'INSERT INTO usage_counters (platform_no, customer_no, meter_no, "window", starts_at, count, announced, held,'
        " windows) VALUES (?, ?, ?, ?, ?, 1, 0, 0, ?)",
        (
            (platform_no, no, meter, window, starts_at, windows)
            for no in numbers
            for window, starts_at, windows in ((0, 0, 16), (4, period, 0))
        ),
    )
    yield (
        "INSERT INTO usage_hours (platform_no, customer_no, meter_no, hour, period_starts_at, total, calls)"
        " VALUES (?, ?, ?, ?, ?, 1, 1)",
        ((platform_no, no, meter, hour, period) for no in numbers),
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    asked = parser.parse_args()
    if not load.is_possible():
        print(load.MISSING)
        return 1
    measured: dict[tuple[str, int], list[load.Measured]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers: dict[int, tuple[Server, str]] = {}
        for customers in (SMALL, asked.large):
            settings = Settings(data=Path(folder) / str(customers), log_level="warning")
            key = account(settings).test
            fill(settings, customers)
            servers[customers] = (stack.enter_context(Server(settings)), key)
        bytes_large = (Path(folder) / str(asked.large) / FILE_NAME).stat().st_size
        for number in range(-1, asked.rounds):  # the first round warms up and is thrown away
            for law in TARGETS:
                for customers, (server, key) in servers.items():
                    result = load.run(
                        server.url + "/api/data",
                        key,
                        plan=PLAN,
                        users=customers,
                        connections=64,
                        seconds=asked.seconds,
                        zipf=law == "Zipf",
                    )
                    label = f"{law}, {customers:,} customers"
                    print(
                        f"  {number + 1}/{asked.rounds}  {label:<32} {result.per_second:9,.0f}/s p99 {result.p99:.1f}"
                    )
                    if number >= 0:
                        measured[law, customers].append(result)
    text = _report(measured, asked, bytes_large)
    RESULTS.write_text(text)
    print(text)
    return 0


def _report(measured: dict[tuple[str, int], list[load.Measured]], asked: argparse.Namespace, bytes_large: int) -> str:
    lines = [
        "# Growth",
        "",
        f"`make bench-growth` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: `POST /api/data` on SQLite over HTTP, "
        f"64 connections, one limit, medians of {asked.rounds} interleaved rounds of {asked.seconds} s. Every customer "
        f"was counted an hour before; the file of {asked.large:,} of them has {bytes_large / 1e9:.1f} GB.",
        "",
        f"| users drawn | of {SMALL:,}: calls/s | of {asked.large:,}: calls/s | ratio | target | p99 ms | failed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    median = statistics.median
    for law, target in TARGETS.items():
        small, large = measured[law, SMALL], measured[law, asked.large]
        ratios = [one.per_second / other.per_second for one, other in zip(large, small, strict=True)]
        ratio = median(ratios)
        calls = [f"{median(run.per_second for run in runs):,.0f}" for runs in (small, large)]
        lines.append(
            f"| {law} | {' | '.join(calls)} | {ratio:.2f} ({min(ratios):.2f}–{max(ratios):.2f}) "
            f"| {target}{'' if ratio >= target else ' **missed**'} | {median(run.p99 for run in large):.1f} "
            f"| {sum(run.failed for run in [*small, *large])} |"
        )
    lines += ["", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.machine()), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
