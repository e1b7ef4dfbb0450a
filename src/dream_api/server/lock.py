"""The lock of a data directory: one server works on it at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dream_api.core.console import CommandError

_LOCK_NAME = "server.lock"


class AlreadyRunning(CommandError):
    """Another server works on the same data directory."""

    def __init__(self, directory: Path, process: str) -> None:
        super().__init__(
            f"A server (process {process or 'unknown'}) already uses {directory.absolute()}.",
            code="already_running",
            hint="Stop it first, or choose another data directory with --data or DREAM_DATA.",
        )


@contextmanager
def lock_data_directory(directory: Path) -> Generator[None, None, None]:
    """Hold the data directory's lock; the system releases it when the process ends, however it ends."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / _LOCK_NAME).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(directory, file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
