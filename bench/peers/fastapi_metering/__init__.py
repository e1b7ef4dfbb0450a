"""Our metering engine behind an ordinary FastAPI route: what the HTTP fast path is worth."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.postgres import free_port
from tests.support.server import environment

from bench.peers import ours
from bench.peers.peer import Peer, running
from dream_api.core.settings import Settings

NAME = "our metering engine in a plain FastAPI route"
_SERVER = Path(__file__).with_name("server.py")


@contextlib.contextmanager
def started(folder: Path) -> Iterator[list[Peer]]:
    settings = Settings(data=folder / "data", port=free_port(), log_level="warning")
    key = asyncio.run(ours.prepare(settings))
    url = f"http://127.0.0.1:{settings.port}"
    with running([sys.executable, _SERVER], f"{url}/ready", folder, environment(settings)) as process:
        yield [
            Peer(
                NAME,
                f"{url}/api/data",
                [process],
                ours.stored_in(settings.data),
                ours.COUNTS,
                ours.DURABILITY,
                key=key,
            )
        ]
