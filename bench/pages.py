"""`make bench`: what the dashboard's pages take among 10,000 customers and a million hours of usage.

    python -m bench.pages [--customers 10000] [--hours 100] [--rounds 15]

Every page that the navigation leads to, in a saas project, in a store with as many orders and at the operator's, is
read in this process, with no socket between, after what the background jobs do was done; what is reported is the
median of the rounds, and how many statements the page asks of the database.
Results go to bench/pages-results.md.
"""

import argparse
import asyncio
import datetime
import logging
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tests.support.instance import Account, Instance, open_account, open_instance, open_store
from tests.support.postgres import Postgres

from bench import facts
from bench.crowd import fill, fill_store
from dream_api import platforms
from dream_api.core.settings import Settings
from dream_api.usage import rollup

RESULTS = Path(__file__).with_name("pages-results.md")
# What a page may take, in milliseconds.
BOUND = 50.0
# From here on, others were at work on the machine as well; this one is 1.
_BUSY = 1.5
_LINK = re.compile(r'<a href="(/dashboard/[^"?]*)"')
# Pages that no line of the navigation leads to.
_ASIDE = (
    "?days=90",
    "/customers/{customer}",
    "/customers?sort=name&q=user_77",
    "/usage?span=24h",
    "/tiers/pro",
    "/new-tier",
    "/coupons",
)
_OPERATORS = "/dashboard/operator/platforms"
_PLATFORMS = 50


@dataclass(frozen=True, slots=True)
class Page:
    """How long a page takes, in milliseconds; how much it is, and what it asks of the database."""

    path: str
    status: int
    took: float
    bytes: int
    statements: int


async def measure(settings: Settings, asked: argparse.Namespace) -> list[Page]:
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    async with open_instance(settings) as instance:
        crowd = await open_account(instance.database, "Crowd")
        customer = await fill(instance.database, crowd.project, customers=asked.customers, hours=asked.hours)
        store = await open_store(instance.database, crowd)
        await fill_store(instance.database, store.project, orders=asked.customers)
        await _become_operator(instance, crowd)
        while await rollup.roll_up(instance.database):
            pass
        names = {
            crowd.project.id: "{projectId}",
            crowd.project.platform_id: "{platformId}",
            store.project.id: "{storeId}",
            customer: "{customerId}",
        }
        paths = await _paths(instance, crowd, store, customer)
        pages = [await _page(instance, crowd, path, names, asked.rounds, heard) for path in paths]
    event.remove(Engine, "before_cursor_execute", hear)
    return pages


async def _become_operator(instance: Instance, account: Account) -> None:
    """And there are other platforms to look at."""
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        await platforms.add_member(tx, operator.no, account.user_ids["owner"], "owner")
    for number in range(_PLATFORMS):
        await open_account(instance.database, f"Platform {number}")


async def _paths(instance: Instance, account: Account, store: Account, customer: str) -> list[str]:
    """The pages that the navigation links to, and pages below them."""
    bases = [f"/dashboard/{each.project.id}/test" for each in (account, store)]
    of_project, of_store = [await _led_to(instance, account, base) for base in bases]
    of_operator = await _led_to(instance, account, _OPERATORS)
    aside = [bases[0] + path.format(customer=customer) for path in _ASIDE]
    own = [path for path in of_store if path.startswith(bases[1])]
    instances = [path for path in of_operator if path.startswith("/dashboard/operator/")]
    return [*of_project, *aside, *own, *instances]


async def _led_to(instance: Instance, account: Account, path: str) -> list[str]:
    answer = await instance.api.get(path, headers=account.cookie())
    return _LINK.findall(answer.text.partition('<nav aria-label="Pages">')[2].partition("</nav>")[0])


async def _page(
    instance: Instance, account: Account, path: str, names: dict[str, str], rounds: int, heard: list[str]
) -> Page:
    took: list[float] = []
    await instance.api.get(path, headers=account.cookie())  # templates are read, and caches filled
    for _ in range(rounds):
        heard.clear()
        began = time.perf_counter()
        answer = await instance.api.get(path, headers=account.cookie())
        took.append((time.perf_counter() - began) * 1e3)
    pattern = path
    for known, name in names.items():
        pattern = pattern.replace(known, name)
    asks = [text for text in heard if text.lstrip()[:6].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH R")]
    return Page(pattern, answer.status_code, statistics.median(took), len(answer.content), len(asks))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=100, help="of usage, for each of them")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    measured: dict[str, list[Page]] = {}
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        measured["SQLite"] = asyncio.run(measure(Settings(data=data, workers="outside", open_rate=0), asked))
        with Postgres(durable=True) as server:
            at = Settings(data=data, database_url=server.url("postgres"), workers="outside", open_rate=0)
            measured["PostgreSQL"] = asyncio.run(measure(at, asked))
    text = _report(measured, asked, max(busy, os.getloadavg()[0]))
    RESULTS.write_text(text)
    print(text)
    return 0


def _report(measured: dict[str, list[Page]], asked: argparse.Namespace, load: float) -> str:
    busy = f" Others were at work on the machine, whose load was {load:.1f}." if load > _BUSY else ""
    lines = [
        "# Pages",
        "",
        f"`python -m bench.pages` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: each page of the dashboard among "
        f"{asked.customers:,} customers with {asked.hours} hours of usage each, read in one process with no socket "
        f"between; medians of {asked.rounds} rounds. The store has as many orders as there are customers. A page may "
        f"take {BOUND:.0f} ms.{busy}",
        "",
        "| page | " + " | ".join(f"{name}: ms | statements" for name in measured) + " | kB |",
        "|---|" + "---:|---:|" * len(measured) + "---:|",
    ]
    for rows in zip(*measured.values(), strict=True):
        cells = [
            f"{row.took:.1f}{'' if row.took < BOUND else ' **slow**'} | {row.statements}"
            if row.status == 200
            else f"({row.status}) | –"
            for row in rows
        ]
        lines.append(f"| `{rows[0].path}` | {' | '.join(cells)} | {rows[0].bytes / 1e3:.1f} |")
    lines += ["", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.machine()), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
