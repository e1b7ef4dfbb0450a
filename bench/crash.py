"""`python -m bench.crash`: kill -9 under load, 20 times in each case, and count what was lost.

Three cases: the server on SQLite, the server on PostgreSQL, and PostgreSQL itself under a server that goes on. In a
fourth one of two server processes dies every few seconds for a minute, while clients insist on their keyed calls. Every
commit waits for the disk. The promises are in `tests/support/load/{killing,outliving}.py`; where one breaks, the exit
code is 1. Writes `bench/crash-results.md`.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import asyncpg
from tests.support.load import Round, Served, found, from_environment, outlive, survive
from tests.support.postgres import Postgres, run_aside

from dream_api import __version__
from dream_api.core.settings import Settings

RESULTS = Path(__file__).with_name("crash-results.md")
CASES: dict["Name", str] = {
    "server-sqlite": "the server, on SQLite",
    "server-postgresql": "the server, on PostgreSQL",
    "postgresql": "PostgreSQL, under the server",
    "process": "one of two processes, on PostgreSQL",
}
Name = Literal["server-sqlite", "server-postgresql", "postgresql", "process"]


@dataclass(slots=True)
class Case:
    """Who was killed, and what came of it."""

    name: Name
    rounds: list[Round] = field(default_factory=list)
    # The promise that broke.
    broken: str | None = None

    @property
    def kills(self) -> int:
        return max((each.number for each in self.rounds), default=0)

    def sum_of(self, figure: str) -> int:
        return sum(getattr(each, figure) for each in self.rounds)

    @property
    def verdict(self) -> str:
        return "every promise kept" if self.broken is None else f"**broken**: {self.broken}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description="kill -9 under load")
    parser.add_argument("--kills", type=int, default=20, help="how many in each case (20)")
    parser.add_argument("--seconds", type=float, default=2.0, help="the longest load before a kill (2)")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long one of two processes dies (1)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two such deaths (3)")
    parser.add_argument("--only", choices=CASES, help="one case alone; the results file stays as it is")
    options = parser.parse_args()
    cases = [Case(name) for name in CASES if options.only in (None, name)]
    for case in cases:
        asyncio.run(_run(case, options))
    print("\n" + _table(cases))
    if options.only is None:
        RESULTS.write_text(_report(cases))
        print(f"Written to {RESULTS.parent.name}/{RESULTS.name}.")
    return int(any(case.broken is not None for case in cases))


async def _run(case: Case, options: argparse.Namespace) -> None:
    def tell(each: Round) -> None:
        case.rounds.append(each)
        print(_line(case, each), flush=True)

    with _place(case.name) as (settings, postgres):
        served = Served(settings, await found(settings), processes=2 if case.name == "process" else 1)
        served.start()
        victim = postgres if case.name == "postgresql" and postgres is not None else served.server
        try:
            if case.name == "process":
                tell(await outlive(served, seconds=options.minutes * 60, every=options.every))
            else:
                await survive(served, victim, kills=options.kills, seconds=options.seconds, tell=tell)
        except AssertionError as problem:
            case.broken = (str(problem) or "see the traceback").partition("\n")[0]
            print(f"{CASES[case.name]}: BROKEN: {case.broken}", flush=True)
        finally:
            served.stop()


@contextmanager
def _place(name: Name) -> Iterator[tuple[Settings, Postgres | None]]:
    """Data that nobody else uses, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dream-crash-") as folder:
        data = Path(folder) / "data"
        if name == "server-sqlite":
            yield Settings(data=data), None
            return
        with Postgres(durable=True) as postgres:
            yield Settings(data=data, database_url=postgres.create("crash")), postgres


def _line(case: Case, each: Round) -> str:
    return (
        f"{CASES[case.name]:35}  kill {each.number:2}  sent {each.sent:6,}  acknowledged {each.acknowledged:6,}"
        f"  counted {each.counted:6,}  unknown {each.unknown:3}  refused at the limit {each.refused:5,}"
    )


def _table(cases: list[Case]) -> str:
    lines = [
        "| killed | kills | sent | acknowledged | counted | unknown | keys sent again | refused at the limit "
        "| slowest answer | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    figures = ("sent", "acknowledged", "counted", "unknown", "repeated", "refused")
    for case in cases:
        sums = [f"{case.sum_of(figure):,}" for figure in figures]
        slowest = max((each.slowest for each in case.rounds), default=0)
        cells = [CASES[case.name], str(case.kills), *sums, f"{slowest:.2f} s", case.verdict]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _report(cases: list[Case]) -> str:
    facts = from_environment() | {
        "dream-api": __version__,
        "SQLite": f"{sqlite3.sqlite_version}, WAL, synchronous = FULL",
        "PostgreSQL": f"{_postgresql_version()}, fsync = on, synchronous_commit = on",
    }
    return (
        "# `make bench-crash`\n\n"
        "32 callers on kept-alive connections; the server or the database is killed with SIGKILL under their load and\n"
        "started again on the same data. After every kill: acknowledged ≤ counted ≤ acknowledged + unknown for every\n"
        "customer, counted = distinct keys once the unknown keyed calls were sent again, no limit passed, every check\n"
        "of `doctor` holds. *Unknown* calls were broken off, or answered `outcome_unknown`.\n\n"
        "In the last case `dream-api serve --workers 2` runs on, and for a minute the busier of its two processes is\n"
        "killed every few seconds. Every call has a key, and its caller sends it again until it is answered. Then\n"
        "counted = distinct acknowledged keys for every customer, and a key that is sent once more counts nothing.\n\n"
        f"{_table(cases)}\n" + "".join(f"- {name}: {fact}\n" for name, fact in facts.items())
    )


def _postgresql_version() -> str:
    async def ask(url: str) -> str:
        connection = await asyncpg.connect(url, ssl=False)
        try:
            return await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()

    with Postgres() as postgres:
        return run_aside(ask(postgres.url()))


if __name__ == "__main__":
    sys.exit(main())
