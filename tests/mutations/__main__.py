"""Mutation tests: small changes of the code that `make test` must notice. `make mutations`

python -m tests.mutations [--seed 11] [--count 20] [--only 3,7] [--list] [--workers 2]

Draws as many mutations of each area (admission, proration, permissions, stock, tenancy), applies each to a copy of the
repository, and runs the default tier there: first the folders of its package and area, one after the other, then, where
nothing fails, everything. A mutation is caught by a test that fails with it and passes without it. The exit code is 1
where one is not caught.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutations.drawn import ROOT, Mutation, drawn


class Copy:
    """A copy of the repository, whose own code its tests run."""

    def __init__(self, root: Path, workers: int) -> None:
        self.root = root
        self.workers = workers
        self.broken: set[str] = set()  # tests that fail without any mutation
        listed = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        (root / ".venv").symlink_to(ROOT / ".venv")
        self.environment = {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        place = "import dream_api; print(dream_api.__file__)"
        where = subprocess.run(
            [sys.executable, "-c", place], check=True, capture_output=True, text=True, env=self.environment
        )
        assert Path(where.stdout.strip()).is_relative_to(root), where.stdout

    def catch(self, mutation: Mutation) -> str | None:
        """The test that notices it; None where all pass."""
        pristine = (self.root / mutation.file).read_bytes()
        for path in (*mutation.folders(), "tests"):
            while True:
                mutation.apply(self.root)
                failed = self._first_failure(path)
                (self.root / mutation.file).write_bytes(pristine)
                if failed is None:
                    break
                if self._first_failure(failed) is None:
                    return failed
                self.broken.add(failed)
        return None

    def _first_failure(self, path: str) -> str | None:
        """A test that fails; None where all pass."""
        is_one = "::" in path
        options = ["-n", "0"] if is_one else ["-n", str(self.workers), "--dist", "worksteal", "-x"]
        left_out = [f"--deselect={name}" for name in sorted(self.broken)]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            "--tb=no",
            "-o",
            "addopts=",
            *options,
            *left_out,
            path,
        ]
        done = subprocess.run(command, check=False, cwd=self.root, env=self.environment, capture_output=True, text=True)
        if done.returncode == 0:
            return None
        found = re.search(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        if found is None:
            raise SystemExit(f"The tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return found[1]


def main() -> int:
    parser = argparse.ArgumentParser(description="Small changes of the code that `make test` must notice.")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--only", default="", help="the numbers of some of them: 3,7")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    parser.add_argument("--workers", type=int, default=3)
    asked = parser.parse_args()
    only = {int(number) for number in asked.only.split(",") if number}
    chosen = [one for one in enumerate(drawn(asked.seed, asked.count), 1) if not only or one[0] in only]
    if asked.list:
        for number, mutation in chosen:
            print(f"{number:2}  {mutation}")
        return 0
    missed = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Copy(Path(folder), asked.workers)
        for number, mutation in chosen:
            begun = time.monotonic()
            caught = copy.catch(mutation)
            missed += caught is None
            print(
                f"{number:2}  {mutation}\n    {time.monotonic() - begun:5.0f} s  {caught or 'NOT CAUGHT'}", flush=True
            )
        for name in sorted(copy.broken):
            print(f"Fails without any mutation, and was left out: {name}")
    print(f"{len(chosen) - missed} of {len(chosen)} mutations caught (seed {asked.seed}).")
    return 1 if missed or copy.broken else 0


if __name__ == "__main__":
    sys.exit(main())
