"""A Worker with its key in KV and its counts in D1, on the local simulator: miniflare, which runs workerd."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.support.postgres import free_port

from bench.peers.peer import KEY, LIMITS, Missing, Peer, number_at, running

NAME = "Worker + KV + D1, local simulator (miniflare/workerd)"
CONSTANT = "constant answer of the local simulator (workerd)"
_FOLDER = Path(__file__).parent


@contextlib.contextmanager
def started(folder: Path) -> Iterator[list[Peer]]:
    node = shutil.which("node")
    if node is None:
        raise Missing("Node 18 or newer is not there: install Debian's packages `nodejs` and `npm`.")
    if not (_FOLDER / "node_modules" / "miniflare").exists():
        raise Missing("miniflare is not there: `make bench-peers` gets it with npm.")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {"PORT": str(port), "FOLDER": str(folder), "KEY": KEY, "LIMITS": json.dumps(LIMITS)}
    with running([node, _FOLDER / "simulator.mjs"], f"{url}/stored", folder, told) as process:
        yield [
            Peer(
                NAME,
                f"{url}/api/data",
                [process],
                lambda: number_at(f"{url}/stored"),
                "one row of the user",
                "synced, twice a call (WAL)",
            ),
            Peer(CONSTANT, f"{url}/constant", [process], None),
        ]


def versions() -> dict[str, str]:
    packages = json.loads((_FOLDER / "package-lock.json").read_text())["packages"]
    return {name: packages[f"node_modules/{name}"]["version"] for name in ("miniflare", "workerd")}
