"""The directory in which the processes of one server share their metrics."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "dream-api-metrics-"


@contextmanager
def metrics_directory() -> Generator[Path, None, None]:
    """A temporary directory for metrics; removed afterwards, as are those that killed servers left behind."""
    _remove_abandoned()
    # Under its name only once it is locked, so that no other server takes it for an abandoned one. The lock also keeps
    # it from being removed by cleaners of temporary directories.
    draft = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
    with _locked(draft):
        directory = draft.rename(draft.with_name(draft.name.removeprefix("new-")))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove_abandoned() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(directory):
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked(directory: Path) -> Generator[None, None, None]:
    """Raises OSError where another holds it, or where it is not ours to open."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
