"""`make bench`: the metered call against a constant answer, interleaved, as ratios.

    python -m bench.run [--rounds 5] [--seconds 4]

Every round measures everything once, so that whatever else the machine does falls on all alike; what is told is the
median over the rounds, and the median of each round's own ratio to the constant answer of that round.
"""

import argparse
import asyncio
import contextlib
import datetime
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.support.house import open_account
from tests.support.postgres import Postgres
from tests.support.server import Server

from bench import facts, load, rows
from dream_api import app, catalog
from dream_api.core.settings import Settings

RESULTS = Path(__file__).with_name("results.md")
UNLIMITED_FOR_NOW = 10**12
PLAN = "bench"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured, and the yardstick it is held against."""

    name: str
    url: str
    key: str
    users: int
    connections: int
    floor: float | None = None

    @property
    def yardstick(self) -> str:
        return f"constant answer, {self.connections} connections"


async def _account(settings: Settings) -> str:
    database = app.open_database(settings)
    await app.prepare(database)
    account = await open_account(database, "Bench")
    async with database.write() as tx:
        await catalog.set_tier(tx, account.project, "test", PLAN, [catalog.TierLimit(UNLIMITED_FOR_NOW)])
    await database.close()
    return account.secret["test"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def _constant():
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.constant", str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _start_seconds(settings: Settings) -> float:
    """From the command to the first ready answer, on a migrated database; the best of three."""
    taken: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        with Server(settings):
            taken.append(time.perf_counter() - began)
    return min(taken)


def _idle_megabytes(server: Server) -> float:
    time.sleep(1)
    return psutil.Process(server.pid).memory_info().rss / 1e6


def _measure(cases: list[Case], rounds: int, seconds: int) -> dict[str, list[load.Measured]]:
    measured: dict[str, list[load.Measured]] = defaultdict(list)
    for number in range(-1, rounds):  # the first round warms up and is thrown away
        for case in cases:
            result = load.run(
                case.url, case.key, plan=PLAN, users=case.users, connections=case.connections, seconds=seconds
            )
            print(f"  {number + 1}/{rounds}  {case.name:<46} {result.per_second:9,.0f}/s  p99 {result.p99:6.2f} ms")
            if number >= 0:
                measured[case.name].append(result)
    return measured


def _lines(cases: list[Case], measured: dict[str, list[load.Measured]]) -> list[str]:
    lines = [
        "| what | calls/s | ÷ constant | floor | p50 ms | p99 ms | failed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for case in cases:
        runs = measured[case.name]
        ratios = [run.per_second / yard.per_second for run, yard in zip(runs, measured[case.yardstick], strict=True)]
        median = statistics.median
        lines.append(
            f"| {case.name} | {median(run.per_second for run in runs):,.0f} | {median(ratios):.2f} "
            f"({min(ratios):.2f}–{max(ratios):.2f}) | {'' if case.floor is None else case.floor} "
            f"| {median(run.p50 for run in runs):.2f} | {median(run.p99 for run in runs):.2f} "
            f"| {sum(run.failed for run in runs)} |"
        )
    return lines


def _cost_lines(measured: dict[str, list[load.Measured]], constant: str, gate: dict[int, str], row: dict[int, float]):
    http = 1e6 / statistics.median(run.per_second for run in measured[constant])
    for users, name in gate.items():
        whole = 1e6 / statistics.median(run.per_second for run in measured[name])
        yield (
            f"- {users:,} user{'s' if users > 1 else ''}: a call takes {whole:.1f} µs; HTTP (the constant answer) "
            f"{http:.1f} µs + its rows measured apart {row[users]:.1f} µs = {http + row[users]:.1f} µs; "
            f"the call is {whole / (http + row[users]):.2f} × that (aim: at most 1.2)."
        )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    asked = parser.parse_args()
    if not load.is_possible():
        print(load.MISSING)
        return 1
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        embedded = Settings(data=Path(folder) / "sqlite", log_level="warning")
        sqlite_key = asyncio.run(_account(embedded))
        started = _start_seconds(embedded)
        postgres = stack.enter_context(Postgres(durable=True))
        postgres.create("bench")
        large = Settings(data=Path(folder) / "postgres", database_url=postgres.url("bench"), log_level="warning")
        large.data.mkdir()
        large_key = asyncio.run(_account(large))
        constant = stack.enter_context(_constant())
        sqlite_server = stack.enter_context(Server(embedded))
        idle = _idle_megabytes(sqlite_server)
        postgres_server = stack.enter_context(Server(large))
        data = "/api/data"
        cases = [
            Case("constant answer, 64 connections", constant + data, sqlite_key, 10_000, 64),
            Case("gate, SQLite, 1 user", sqlite_server.url + data, sqlite_key, 1, 64, 0.6),
            Case("gate, SQLite, 10,000 users", sqlite_server.url + data, sqlite_key, 10_000, 64, 0.5),
            Case(
                "gate, PostgreSQL, 10,000 users, 64 connections",
                postgres_server.url + data,
                large_key,
                10_000,
                64,
                0.12,
            ),
            Case("constant answer, 512 connections", constant + data, sqlite_key, 10_000, 512),
            Case(
                "gate, PostgreSQL, 10,000 users, 512 connections",
                postgres_server.url + data,
                large_key,
                10_000,
                512,
                0.3,
            ),
        ]
        measured = _measure(cases, asked.rounds, asked.seconds)
    apart = {users: rows.microseconds(users, asked.seconds) for users in (1, 10_000)}
    lines = _lines(cases, measured)
    costs = _cost_lines(
        measured, cases[0].name, {1: "gate, SQLite, 1 user", 10_000: "gate, SQLite, 10,000 users"}, apart
    )
    text = [
        "# What a metered call costs",
        "",
        f"`make bench` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: medians of {asked.rounds} interleaved rounds "
        f"of {asked.seconds} s, one thread of wrk on kept-alive connections. SQLite: WAL, synchronous=FULL; "
        "PostgreSQL: fsync and synchronous_commit on, on the same machine. The ratio is that of each round to the "
        "constant answer (a bare ASGI application on uvicorn) in the same round, lowest and highest in brackets.",
        "",
        *lines,
        "",
        *costs,
        f"- Idle memory of the server: {idle:.0f} MB (floor: below 120 MB).",
        f"- Start to the first ready answer on a migrated database: {started:.2f} s (floor: below 1.5 s).",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in facts.machine()),
        "",
    ]
    RESULTS.write_text("\n".join(text))
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
