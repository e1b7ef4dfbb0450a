"""A small disk of its own for data, which can be filled; only root may mount one."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# PostgreSQL's new data takes 60, and another 200 where its programs have to be copied there.
MEBIBYTES = 320


@dataclass(frozen=True, slots=True)
class Disk:
    path: Path

    def fill(self) -> None:
        with (self.path / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(bytes(1 << 20)):
                pass

    def clear(self) -> None:
        (self.path / "ballast").unlink()


@contextlib.contextmanager
def small_disk(mebibytes: int = MEBIBYTES) -> Iterator[Disk]:
    """Mounted in memory; skips the test where that is not allowed."""
    path = Path(tempfile.mkdtemp(prefix="dream-disk-"))
    path.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", str(path)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        path.rmdir()
        pytest.skip("a small disk is needed, and only root may mount one: run this test as root")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", str(path)], check=True)
        path.rmdir()
