"""PocketBase, creating a record for every call."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.postgres import free_port

from bench.peers.peer import Missing, Peer, number_at, running

NAME = "PocketBase, one record a call"
_FOLDER = Path(__file__).parent
_PROGRAM = _FOLDER / "pocketbase"


@contextlib.contextmanager
def started(folder: Path) -> Iterator[list[Peer]]:
    if not _PROGRAM.exists():
        raise Missing("The program is not built: `make bench-peers` builds it with Go (Debian's package `golang`).")
    address = f"127.0.0.1:{free_port()}"
    records = f"http://{address}/api/collections/calls/records"
    # It takes itself for a developer's `go run` when it lies in a temporary folder, and would then log every statement.
    command = [_PROGRAM, "serve", "--dev=false", "--http", address, "--dir", str(folder / "data")]
    with running(command, records, folder) as process:
        yield [
            Peer(
                NAME,
                records,
                [process],
                lambda: number_at(f"{records}?perPage=1", "totalItems"),
                "a record (nothing is summed, nobody is limited)",
                "written, not synced (WAL, synchronous=NORMAL)",
                body='{"user":"USER"}',
                has_limits=False,
            )
        ]


def versions() -> dict[str, str]:
    module = (_FOLDER / "go.mod").read_text()
    found = {
        "PocketBase": re.search(r"pocketbase/pocketbase v(\S+)", module),
        "modernc.org/sqlite": re.search(r"modernc.org/sqlite v(\S+)", module),
    }
    return {name: match[1] for name, match in found.items() if match is not None}
