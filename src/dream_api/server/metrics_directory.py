"""Where the processes of one server keep their figures for `/metrics`."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_FIGURES = "dream-api-metrics-"


@contextmanager
def metrics_directory() -> Generator[Path, None, None]:
    """Where the processes of one server keep their figures; removed afterwards, as is what killed servers left."""
    _remove_abandoned_figures()
    # Under its name only once it is locked, so that nobody takes it for an abandoned one. The lock also keeps those
    # away who tidy up temporary directories by age.
    draft = Path(tempfile.mkdtemp(prefix=f"new-{_FIGURES}"))
    with _locked(draft):
        directory = draft.rename(draft.with_name(draft.name.removeprefix("new-")))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove_abandoned_figures() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{_FIGURES}*"):
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
