"""Puts this interpreter's wall clock ahead: see `tests/support/movable_clock/__init__.py`."""

import mmap
import os
import time

with open(os.environ["CLOCK_AHEAD_FILE"], "rb") as _file:
    _ahead = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)
_machine_time_ns = time.time_ns


def _time_ns() -> int:
    return _machine_time_ns() + 1_000 * int.from_bytes(_ahead[:8], "little", signed=True)


def _time() -> float:
    return _time_ns() / 1e9


time.time_ns = _time_ns
time.time = _time
