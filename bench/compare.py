"""`make bench-compare BASE=<commit>`: the metered call of this tree and of another commit, in the same rounds.

    python -m bench.compare BASE [--rounds 7] [--seconds 4]

Servers of both run all the time. Every round measures each case on both, one right after the other and in turns first,
so that whatever else the machine does falls on both alike. What counts is the median of the rounds' quotients.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import Postgres
from tests.support.server import Server

from bench import load
from bench.server import PLAN, Keys
from dream_api.core.settings import Settings

ROOT = Path(__file__).parent.parent
# Run in the tree that it is about: its tables, its accounts.
_PREPARE = """
import dataclasses, json, sys
try:
    from bench.server import account
except ImportError:
    from bench.serving import account  # its name until November 2026
from dream_api.core.settings import Settings
print(json.dumps(dataclasses.asdict(account(Settings.model_validate_json(sys.argv[1])))))
"""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    database: str
    mode: str
    users: int
    connections: int


CASES = [
    Case("SQLite, 1 user", "sqlite", "test", 1, 64),
    Case("SQLite, 10,000 users", "sqlite", "test", 10_000, 64),
    Case("SQLite, 10,000 users, live: level and two limits", "sqlite", "live", 10_000, 64),
    Case("PostgreSQL, 10,000 users, 64 connections", "postgres", "test", 10_000, 64),
    Case("PostgreSQL, 10,000 users, 512 connections", "postgres", "test", 10_000, 512),
]


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout with a server on each database; its keys by database."""

    urls: dict[str, str]
    keys: dict[str, Keys]

    def calls_per_second(self, case: Case, seconds: int) -> float:
        keys = self.keys[case.database]
        return load.run(
            self.urls[case.database] + "/api/data",
            keys.test if case.mode == "test" else keys.live,
            plan=PLAN,
            users=case.users,
            connections=case.connections,
            seconds=seconds,
        ).per_second


@contextmanager
def serving(checkout: Path, folder: Path, postgres: Postgres, name: str) -> Iterator[Tree]:
    postgres.create(name)
    settings = {
        "sqlite": Settings(data=folder / f"{name}-sqlite", log_level="warning"),
        "postgres": Settings(data=folder / f"{name}-postgres", database_url=postgres.url(name), log_level="warning"),
    }
    path = os.pathsep.join((str(checkout / "src"), str(checkout)))
    keys: dict[str, Keys] = {}
    with contextlib.ExitStack() as stack:
        urls: dict[str, str] = {}
        for database, config in settings.items():
            config.data.mkdir()
            keys[database] = _prepared(config, checkout, path)
            with _python_path(path):
                urls[database] = stack.enter_context(Server(config)).url
        yield Tree(urls, keys)


def _prepared(settings: Settings, checkout: Path, path: str) -> Keys:
    words = [sys.executable, "-c", _PREPARE, settings.model_dump_json(include={"data", "database_url", "log_level"})]
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(words, cwd=checkout, env=env, stdout=subprocess.PIPE, check=True, text=True)
    return Keys(**json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def _python_path(path: str) -> Iterator[None]:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = path
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    checkout = folder / "base"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(checkout), commit], check=True)
    try:
        yield checkout
    finally:
        subprocess.run([*git, "remove", "--force", str(checkout)], check=True)


def compare(base: Tree, here: Tree, rounds: int, seconds: int) -> None:
    quotients: dict[str, list[float]] = {case.name: [] for case in CASES}
    for number in range(-1, rounds):  # the first round warms up and is thrown away
        for case in CASES:
            order = (base, here) if number % 2 else (here, base)
            rates = {id(tree): tree.calls_per_second(case, seconds) for tree in order}
            quotient = rates[id(here)] / rates[id(base)]
            print(
                f"  {number + 1}/{rounds}  {case.name:<50} {rates[id(here)]:9,.0f}/s  ÷ base {quotient:.3f}", flush=True
            )
            if number >= 0:
                quotients[case.name].append(quotient)
    print("| what | here ÷ base, median (lowest–highest) |\n|---|---:|")
    for name, values in quotients.items():
        print(f"| {name} | {statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f}) |")
    every = [value for values in quotients.values() for value in values]
    print(f"| all | {statistics.median(every):.3f} |")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    asked = parser.parse_args()
    if not load.is_possible():
        print(load.MISSING)
        return 1
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        checkout = stack.enter_context(checked_out(asked.base, folder))
        postgres = stack.enter_context(Postgres(durable=True))
        base = stack.enter_context(serving(checkout, folder, postgres, "base"))
        here = stack.enter_context(serving(ROOT, folder, postgres, "here"))
        compare(base, here, asked.rounds, asked.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
