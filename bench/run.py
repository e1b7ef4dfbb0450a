"""`make bench`: the metered call against a constant answer, interleaved, as ratios.

    python -m bench.run [--rounds 5] [--seconds 4]

Every round measures everything once, so that whatever else the machine does falls on all alike; what is reported is the
median over the rounds, and the median of each round's own ratio to its yardstick of that round.
"""

import argparse
import contextlib
import datetime
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.server import Server

from bench import facts, load, rows
from bench.server import PLAN, Keys, account, constant_answer, idle_megabytes, start_seconds
from dream_api.core.settings import Settings

RESULTS = Path(__file__).with_name("results.md")
BATCH = 1_000
_LONGEST_P99 = 10.0

Measurements = dict[str, list[load.Measured]]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured, and the yardstick it is held against."""

    name: str
    url: str
    key: str
    users: int = 1
    connections: int = 64
    yardstick: str = ""
    target: float | None = None
    # Of a batch: its items, one for each user in turn.
    items: int = 1
    p99: float | None = None

    @property
    def body(self) -> str:
        if self.items == 1:
            return ""
        items = [{"userId": f"user_{place % self.users + 1}", "plan": PLAN} for place in range(self.items)]
        return json.dumps({"items": items})


def cases_of(constant: str, sqlite: str, postgres: str, keys: Keys, postgres_keys: Keys) -> list[Case]:
    data, batch = "/api/data", "/api/data/batch"
    few, many = "constant answer, 64 connections", "constant answer, 512 connections"
    one, thousand = "metered call, SQLite, 1 user", "metered call, SQLite, 1,000 users"
    return [
        Case(few, constant + data, keys.test, 10_000, yardstick=few),
        Case(one, sqlite + data, keys.test, 1, yardstick=few, target=0.6),
        Case(thousand, sqlite + data, keys.test, 1_000, yardstick=few),
        Case(
            "metered call, SQLite, 10,000 users",
            sqlite + data,
            keys.test,
            10_000,
            yardstick=few,
            target=0.5,
            p99=_LONGEST_P99,
        ),
        Case(
            "metered call, SQLite, 10,000 users, live: level and two limits",
            sqlite + data,
            keys.live,
            10_000,
            yardstick=few,
            target=0.35,
            p99=_LONGEST_P99,
        ),
        Case(f"batches of {BATCH:,}, SQLite, 1 user", sqlite + batch, keys.test, 1, 4, one, 3, BATCH),
        Case(f"batches of {BATCH:,}, SQLite, 1,000 users", sqlite + batch, keys.test, 1_000, 4, thousand, 1.5, BATCH),
        Case(
            "metered call, PostgreSQL, 10,000 users, 64 connections",
            postgres + data,
            postgres_keys.test,
            10_000,
            yardstick=few,
            target=0.12,
        ),
        Case(
            "metered call, PostgreSQL, 10,000 users, live: level and two limits",
            postgres + data,
            postgres_keys.live,
            10_000,
            yardstick=few,
        ),
        Case(many, constant + data, keys.test, 10_000, 512, many),
        Case(
            "metered call, PostgreSQL, 10,000 users, 512 connections",
            postgres + data,
            postgres_keys.test,
            10_000,
            512,
            many,
            0.3,
        ),
    ]


def measure(cases: list[Case], rounds: int, seconds: int) -> Measurements:
    """Calls (of batches: items) a second of every case, round by round."""
    measured: Measurements = defaultdict(list)
    for number in range(-1, rounds):  # the first round warms up and is thrown away
        for case in cases:
            result = load.run(
                case.url,
                case.key,
                plan=PLAN,
                users=case.users,
                connections=case.connections,
                seconds=seconds,
                body=case.body,
                items=case.items,
            )
            print(f"  {number + 1}/{rounds}  {case.name:<58} {result.per_second:9,.0f}/s  p99 {result.p99:6.2f} ms")
            if number >= 0:
                measured[case.name].append(result)
    return measured


def table(cases: list[Case], measured: Measurements) -> Iterable[str]:
    yield "| what | calls/s | ÷ yardstick | target | p50 ms | p99 ms | failed |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for case in cases:
        runs = measured[case.name]
        ratios = [run.per_second / yard.per_second for run, yard in zip(runs, measured[case.yardstick], strict=True)]
        median = statistics.median
        ratio, p99 = median(ratios), median(run.p99 for run in runs)
        yield (
            f"| {case.name} | {median(run.per_second for run in runs):,.0f} | {ratio:.2f} "
            f"({min(ratios):.2f}–{max(ratios):.2f}) | {_held(ratio, case.target, at_least=True)} "
            f"| {median(run.p50 for run in runs):.2f} | {p99:.2f}{_limit(p99, case.p99)} "
            f"| {sum(run.failed for run in runs)} |"
        )


def _held(value: float, target: float | None, *, at_least: bool) -> str:
    if target is None:
        return ""
    return f"{target}" if (value >= target) == at_least else f"{target} **missed**"


def _limit(value: float, most: float | None) -> str:
    return "" if most is None else f" (< {most:.0f}{'' if value < most else ' **missed**'})"


def costs(measured: Measurements, constant: str, names: dict[int, str], row: dict[int, float]) -> Iterable[str]:
    http = 1e6 / statistics.median(run.per_second for run in measured[constant])
    for users, name in names.items():
        whole = 1e6 / statistics.median(run.per_second for run in measured[name])
        yield (
            f"- {users:,} user{'s' if users > 1 else ''}: a call takes {whole:.1f} µs; HTTP (the constant answer) "
            f"{http:.1f} µs + its rows measured apart {row[users]:.1f} µs = {http + row[users]:.1f} µs; "
            f"the call is {whole / (http + row[users]):.2f} × that (aim: at most 1.2)."
        )


def report(lines: Iterable[str], asked: argparse.Namespace, idle: float, started: float) -> str:
    return "\n".join(
        [
            "# What a metered call costs",
            "",
            f"`make bench` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: medians of {asked.rounds} interleaved "
            f"rounds of {asked.seconds} s, one thread of wrk on kept-alive connections. SQLite: WAL, "
            "synchronous=FULL; PostgreSQL: fsync and synchronous_commit on, on the same machine. The ratio is that of "
            "each round to the yardstick in the same round, lowest and highest in brackets: to the constant answer (a "
            "bare ASGI application on uvicorn) with as many connections; of batches, in items a second, to single "
            "calls of as many users. “Live” is a platform that is not the operator's: its level counts requests by day "
            "and month and distinct active users by hour, its tier limits a day and the period; all are raised so that "
            "nobody is refused.",
            "",
            *lines,
            f"- Idle memory of the server: {idle:.0f} MB (target: below 120 MB).",
            f"- Start to the first ready answer on a migrated database: {started:.2f} s (target: below 1.5 s).",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in facts.machine()),
            "",
        ]
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
        keys = account(embedded)
        started = start_seconds(embedded)
        postgres = stack.enter_context(Postgres(durable=True))
        postgres.create("bench")
        large = Settings(data=Path(folder) / "postgres", database_url=postgres.url("bench"), log_level="warning")
        large.data.mkdir()
        large_keys = account(large)
        constant = stack.enter_context(constant_answer())
        server = stack.enter_context(Server(embedded))
        idle = idle_megabytes(server)
        cases = cases_of(constant, server.url, stack.enter_context(Server(large)).url, keys, large_keys)
        measured = measure(cases, asked.rounds, asked.seconds)
    apart = {users: rows.microseconds(users, asked.seconds) for users in (1, 10_000)}
    names = {1: "metered call, SQLite, 1 user", 10_000: "metered call, SQLite, 10,000 users"}
    lines = [*table(cases, measured), "", *costs(measured, cases[0].name, names, apart)]
    text = report(lines, asked, idle, started)
    RESULTS.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
