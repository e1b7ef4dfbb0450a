"""`make bench-peers`: the metered call against what people would use instead, interleaved, as ratios.

    python -m bench.peers.run [--rounds 5] [--seconds 2] [--only worker,pocketbase] [--anywhere]

Every round measures everything once. Servers share one core, whatever they consist of, and wrk has another. Exit code 1
where dream-api counts wrongly or a minimum is not met. Writes `bench/peers-results.md`, unless only some were measured.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from bench import load
from bench.peers import fastapi_limits, fastapi_metering, ours, pocketbase, report, worker
from bench.peers.counting import CONNECTIONS, counted
from bench.peers.peer import PLAN, Missing, Peer
from bench.peers.report import MANY, ONE, Results, Row

RESULTS = Path(__file__).parents[1] / "peers-results.md"
# A peer that counted nothing for so long has counted what wrk left in flight.
SETTLE_SECONDS = 0.2
Start = Callable[[Path], AbstractContextManager[list[Peer]]]
NEEDED: tuple[Start, ...] = (ours.constant, ours.started)
PEERS: dict[str, Start] = {
    "fastapi": fastapi_metering.started,
    "limits-always": partial(fastapi_limits.started, sync="always"),
    "limits-everysec": partial(fastapi_limits.started, sync="everysec"),
    "worker": worker.started,
    "pocketbase": pocketbase.started,
}


def main() -> int:
    asked = _asked()
    if not load.is_possible():
        print(load.MISSING)
        return 1
    cores = sorted(os.sched_getaffinity(0))
    wrk_core = None
    if len(cores) > 1 and not asked.anywhere:
        wrk_core = cores[-1]
        os.sched_setaffinity(0, cores[:1])  # all that is started from here on inherits it
    with tempfile.TemporaryDirectory(prefix="dream-peers-") as folder, contextlib.ExitStack() as stack:
        peers, missing = _start(stack, Path(folder), asked.only)
        print("Counting first, then speed.")
        results = Results([], {}, missing)
        for peer in peers:
            right = counted(peer)
            if right is not None:
                results.counted[peer.name] = right
            results.rows += [Row(peer, users) for users in ((MANY,) if right is None else (ONE, MANY))]
        _measure(results.rows, asked.rounds, asked.seconds, wrk_core)
    places = "each server, whatever it consists of, on one core and wrk on another."
    if wrk_core is None:
        places = "servers and wrk wherever the system puts them."
    text = report.text(results, rounds=asked.rounds, seconds=asked.seconds, places=places)
    print(text)
    if not asked.only:
        RESULTS.write_text(text)
    return 0 if _holds(results) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers.run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", type=lambda names: names.split(","), default=[], help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--anywhere", action="store_true", help="leave it to the system on which core things run")
    asked = parser.parse_args()
    if not set(asked.only) <= set(PEERS):
        parser.error(f"--only takes some of {', '.join(PEERS)}")
    return asked


def _start(stack: contextlib.ExitStack, folder: Path, only: list[str]) -> tuple[list[Peer], dict[str, str]]:
    """All that can be started, each with a folder of its own, and why the others cannot."""
    peers: list[Peer] = []
    missing: dict[str, str] = {}
    starts = {str(place): start for place, start in enumerate(NEEDED)}
    starts |= {name: start for name, start in PEERS.items() if not only or name in only}
    for name, start in starts.items():
        own = folder / name
        own.mkdir()
        try:
            peers += stack.enter_context(start(own))
        except Missing as reason:
            missing[name] = str(reason)
            print(f"Not measured: {name}. {reason}")
    return peers, missing


def _measure(rows: list[Row], rounds: int, seconds: int, core: int | None) -> None:
    for number in range(-1, rounds):  # the first round warms up and is thrown away
        for row in rows:
            peer = row.peer
            before = peer.stored() if peer.stored is not None else 0
            cpu = peer.cpu_seconds()
            run = load.run(
                peer.url,
                peer.key,
                plan=PLAN,
                users=row.users,
                connections=CONNECTIONS,
                seconds=seconds if number >= 0 else 1,
                body=peer.body,
                core=core,
            )
            cpu = peer.cpu_seconds() - cpu
            beyond = _settled(peer.stored) - before - run.admitted if peer.stored is not None else 0
            print(
                f"  {number + 1}/{rounds}  {row.name:<54} {row.users:>6,} users {run.per_second:9,.0f}/s"
                f"  p99 {run.p99:7.2f} ms  {beyond:+d}"
            )
            if number >= 0:
                row.runs.append(run)
                row.beyond.append(beyond)
                row.cpu_micros.append(cpu / max(1, run.admitted) * 1e6)
                row.memory = max(row.memory, peer.memory())


def _settled(stored: Callable[[], int]) -> int:
    """The sum once it stands still."""
    last = stored()
    while True:
        time.sleep(SETTLE_SECONDS)
        now = stored()
        if now == last:
            return now
        last = now


def _holds(results: Results) -> bool:
    """Ours counts exactly, and every minimum is met; what the others lose is reported, not judged."""
    exact = results.counted[ours.NAME]
    mine = [each for row in results.rows if row.name == ours.NAME for each in row.beyond]
    is_right = exact.is_exact and exact.over_limit == 0 and min(mine) >= 0 and max(mine) <= CONNECTIONS
    return is_right and all(is_met for _, is_met in results.minimums())


if __name__ == "__main__":
    sys.exit(main())
