"""The metered call while a payment gateway answers after five seconds: `python -m bench.slow_gateway`.

Each round measures metered calls three times: alone, and while people buy, as many a second, by a gateway that answers
at once and by one that lets them wait. What is reported is the p99 with buyers who wait ÷ the p99 with buyers who need
not, the median over the rounds: what the waiting costs, and not what the buying does.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.server import Server

from bench import load
from bench.server import PLAN, account
from dream_api import app
from dream_api.cli import main as cli
from dream_api.core.db import Database
from dream_api.core.settings import Settings
from dream_api.gateways import Gateway
from dream_api.gateways.sandbox import Sandbox

RESULTS = Path(__file__).with_name("slow-gateway-results.md")
SECONDS, WAITING, ROUNDS, ANSWERS_AFTER, LIMIT = 4, 32, 3, 5.0, 1.2
_ASKED = {name for name in dir(Gateway) if not name.startswith("_")}


class Slow(Sandbox):
    """The sandbox, which thinks for five seconds about everything that billing asks of it."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return partial(_slowly, found) if name in _ASKED else found


async def _slowly(method: Any, *given: Any, **named: Any) -> Any:
    await asyncio.sleep(ANSWERS_AFTER)
    return await method(*given, **named)


class SlowServer(Server):
    module = "bench.slow_gateway"


def _gateways(settings: Settings, database: Database) -> dict[Any, Gateway]:
    return {"sandbox": Slow(database, link_base=settings.link_base)}


def _post(url: str, key: str, body: dict[str, Any], user: str = "") -> int:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "X-User-Id": user}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


class Buyers:
    """So many come one after the other, evenly, each again and again every five seconds, until they `leave`."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._over = threading.Event()
        self.served = 0
        self._threads = [threading.Thread(target=self._buy, args=(number,)) for number in range(WAITING)]

    def come(self) -> None:
        """Returns when all have come, and the first of them would be served."""
        for thread in self._threads:
            thread.start()
            time.sleep(ANSWERS_AFTER / WAITING)

    def leave(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _buy(self, number: int) -> None:
        urls = {"successUrl": "https://myapp.com/thanks", "cancelUrl": "https://myapp.com"}
        while not self._over.is_set():
            again_at = time.monotonic() + ANSWERS_AFTER + 0.1
            user = f"buyer-{number}-{time.monotonic_ns()}"
            _post(f"{self._url}/api/create-checkout", self._key, {"tier": "sold", **urls}, user)
            self.served += 1
            self._over.wait(max(0.0, again_at - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Shop:
    """A server where a plan is sold."""

    server: Server
    key: str

    def measure(self) -> load.Measured:
        return load.run(
            f"{self.server.url}/api/data", self.key, plan=PLAN, users=10_000, connections=64, seconds=SECONDS
        )

    def measure_with_buyers(self) -> tuple[load.Measured, int]:
        """Also how many were served."""
        buyers = Buyers(self.server.url, self.key)
        buyers.come()
        measured = self.measure()
        buyers.leave()
        return measured, buyers.served


@contextmanager
def opened(folder: Path, kind: type[Server]) -> Iterator[Shop]:
    settings = Settings(data=folder, log_level="warning", open_rate=0)
    keys = account(settings)
    with kind(settings) as server:
        price = {"price": "20", "currency": "usd", "interval": "month"}
        _post(f"{server.url}/tiers", keys.test, {"name": "sold", "limit": 1, "prices": [price]})
        yield Shop(server, keys.test)


def measure(quick: Shop, slow: Shop) -> tuple[dict[str, list[load.Measured]], int]:
    for shop in (quick, slow):
        shop.measure()
    found: dict[str, list[load.Measured]] = {"alone": [], "at once": [], "waiting": []}
    served = 0
    for number in range(ROUNDS):
        found["alone"].append(quick.measure())
        for name, shop in (("at once", quick), ("waiting", slow)):
            measured, some = shop.measure_with_buyers()
            found[name].append(measured)
            served += some
        p99s = ", ".join(f"{each[-1].p99:.2f} ms {name}" for name, each in found.items())
        print(f"  {number + 1}/{ROUNDS}  p99 {p99s}", flush=True)
    return found, served


def main() -> int:
    if not load.is_possible():
        print(load.MISSING)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "quick", Server) as quick,
        opened(Path(folder) / "slow", SlowServer) as slow,
    ):
        found, served = measure(quick, slow)

    def ratio(one: str, other: str) -> float:
        pairs = zip(found[one], found[other], strict=True)
        return statistics.median(after.p99 / before.p99 for after, before in pairs)

    waits = ratio("waiting", "at once")
    p99s = [f"{statistics.median(one.p99 for one in each):.2f} ms" for each in found.values()]
    rates = [f"{statistics.median(one.per_second for one in each):,.0f}" for each in found.values()]
    held = f"at most {LIMIT}" if waits <= LIMIT else f"at most {LIMIT}: **missed**"
    text = (
        "# Metering while a gateway is slow\n\n"
        f"`make bench`: SQLite, 10,000 users, 64 connections, {ROUNDS} rounds of {SECONDS} s, medians. "
        f"At the same time {WAITING / ANSWERS_AFTER:.1f} people a second buy, by a gateway that answers at once, or "
        f"after {ANSWERS_AFTER:.0f} s, so that {WAITING} wait at any time; {served} were served.\n\n"
        "| | alone | with buyers served at once | with buyers who wait |\n|---|---:|---:|---:|\n"
        f"| p99 | {' | '.join(p99s)} |\n"
        f"| calls/s | {' | '.join(rates)} |\n\n"
        f"Waiting ÷ at once: {waits:.2f} ({held}). Waiting ÷ alone: {ratio('waiting', 'alone'):.2f}, "
        f"at once ÷ alone: {ratio('at once', 'alone'):.2f}.\n"
    )
    RESULTS.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        app.create_app = partial(app.create_app, open_gateways=_gateways)
        cli.main()
    else:
        sys.exit(main())
