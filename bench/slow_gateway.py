"""The metered call while a payment gateway answers after five seconds: `python -m bench.slow_gateway`.

Each round measures the gate twice in the same server, alone and beside people who wait for their checkout page. What is
told is the p99 beside them ÷ the p99 alone, the median over the rounds.
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
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.server import Server

from bench import load
from bench.serving import PLAN, account
from dream_api import app, cli
from dream_api.billing import Gateway, Sandbox
from dream_api.core.db import Database
from dream_api.core.settings import Settings

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
    """So many at any time wait for their page, until `leave`."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._is_over = False
        self.served = 0
        self._threads = [threading.Thread(target=self._buy, args=(number,)) for number in range(WAITING)]

    def come(self) -> None:
        for thread in self._threads:
            thread.start()
        time.sleep(1)

    def leave(self) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join()

    def _buy(self, number: int) -> None:
        urls = {"successUrl": "https://myapp.com/thanks", "cancelUrl": "https://myapp.com"}
        while not self._is_over:
            user = f"buyer-{number}-{time.monotonic_ns()}"
            _post(f"{self._url}/api/create-checkout", self._key, {"tier": "sold", **urls}, user)
            self.served += 1


def measure(server: Server, key: str) -> tuple[list[load.Measured], list[load.Measured], int]:
    run = partial(load.run, f"{server.url}/api/data", key, plan=PLAN, users=10_000, connections=64, seconds=SECONDS)
    run()
    alone: list[load.Measured] = []
    beside: list[load.Measured] = []
    served = 0
    for number in range(ROUNDS):
        alone.append(run())
        buyers = Buyers(server.url, key)
        buyers.come()
        beside.append(run())
        buyers.leave()
        served += buyers.served
        print(f"  {number + 1}/{ROUNDS}  p99 {alone[-1].p99:.2f} ms alone, {beside[-1].p99:.2f} ms beside", flush=True)
    return alone, beside, served


def main() -> int:
    if not load.is_possible():
        print(load.MISSING)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder) / "data", log_level="warning", open_rate=0)
        keys = account(settings)
        with SlowServer(settings) as server:
            price = {"price": "20", "currency": "usd", "interval": "month"}
            _post(f"{server.url}/tiers", keys.test, {"name": "sold", "limit": 1, "prices": [price]})
            alone, beside, served = measure(server, keys.test)
    ratio = statistics.median(after.p99 / before.p99 for before, after in zip(alone, beside, strict=True))
    p99s = [statistics.median(one.p99 for one in each) for each in (alone, beside)]
    rates = [statistics.median(one.per_second for one in each) for each in (alone, beside)]
    held = f"at most {LIMIT}" if ratio <= LIMIT else f"at most {LIMIT}: **missed**"
    text = (
        "# The gate beside a slow gateway\n\n"
        f"`make bench`: SQLite, 10,000 users, 64 connections, {ROUNDS} paired rounds of {SECONDS} s, medians. "
        f"Beside: {WAITING} people at any time wait for a checkout page, which the gateway makes after "
        f"{ANSWERS_AFTER:.0f} s; {served} were served.\n\n"
        "| | alone | beside | ratio |\n|---|---:|---:|---:|\n"
        f"| p99 | {p99s[0]:.2f} ms | {p99s[1]:.2f} ms | {ratio:.2f} ({held}) |\n"
        f"| calls/s | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[1] / rates[0]:.2f} |\n"
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
