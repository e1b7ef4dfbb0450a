"""`make soak DURATION=…`: metering against its plain model, and odd requests against the OpenAPI document, for as long
as one likes, on both databases; then clients that never finish, while 10 MB are uploaded at 50 kB/s
(200 s).

python -m bench.soak [--duration 60]
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from tests.api.test_schemathesis import hold_to_the_document, serving
from tests.metering.test_model import Running, machine
from tests.support.load import found, slow_clients
from tests.support.postgres import Postgres
from tests.support.server import Server

from dream_api.core.settings import Settings

STEPS = 50
EXAMPLES = 10
ODD_REQUESTS = 40


def _soak(name: str, config: Settings, seconds: float) -> int:
    """How many steps were agreed on; raises where metering and the model differ."""
    running = Running(config)
    steps, until = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            run_state_machine_as_test(
                machine(running),
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
            steps += EXAMPLES * STEPS
            print(f"  {name:<10} about {steps:,} steps, the model agrees", flush=True)
    finally:
        running.close()
    return steps


def _ask_oddly(name: str, config: Settings, seconds: float) -> int:
    """How many rounds were answered as documented; raises where one was not."""
    rounds, until = 0, time.monotonic() + seconds
    with serving(config) as web:
        while time.monotonic() < until:
            for mode in GenerationMode:
                hold_to_the_document([web], mode, ODD_REQUESTS, the_same=False)
            rounds += 1
            print(f"  {name:<10} {rounds} × {2 * ODD_REQUESTS} odd requests of each operation", flush=True)
    return rounds


async def _hold(config: Settings) -> None:
    """Raises where clients that never finish harm others."""
    alice = await found(config)
    upload = b"\x89PNG\r\n\x1a\n" + bytes(10_000_000)
    with Server(config) as server:
        held = await slow_clients.hold(server.port, server.pid, alice.secret["test"], upload, at_least_seconds=0)
    print(
        f"  {slow_clients.HALF_OPEN} half-open connections: {held.half_open_left} left; slowest /healthz "
        f"{max(held.seconds):.3f} s; {(held.most_bytes - held.bytes_before) >> 20} MiB more; 10 MB uploaded in "
        f"{held.upload_seconds:.0f} s: {held.upload_status}"
    )
    assert held.upload_status == 201, held
    assert (held.half_open_left, held.slow_bodies_left) == (0, 0), held


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--duration", type=float, default=60, help="seconds, shared by both databases")
    part = parser.parse_args().duration / 4
    with tempfile.TemporaryDirectory() as folder, Postgres() as postgres:
        postgres.create("soak")
        places = itertools.count()

        def config(url: str | None = None) -> Settings:
            data = Path(folder) / str(next(places))
            data.mkdir()
            return Settings(data=data, database_url=url, log_level="error")

        sqlite = _soak("SQLite", config(), part)
        large = _soak("PostgreSQL", config(postgres.url("soak")), part)
        _ask_oddly("SQLite", config(), part)
        _ask_oddly("PostgreSQL", config(postgres.create("odd")), part)
        asyncio.run(_hold(config()))
    print(f"{sqlite:,} steps on SQLite and {large:,} on PostgreSQL: metering and the plain model agree.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
