"""Lock files: dependencies are pinned with hashes, and come from the machine's configured index."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NPM_LOCKS = [path for path in sorted(ROOT.glob("bench/**/package-lock.json")) if "node_modules" not in path.parts]
GO_LOCKS = sorted(ROOT.glob("bench/**/go.sum"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def requirements(lock: Path) -> list[str]:
    """Each requirement on one line, with its options."""
    told = "\n".join(line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#"))
    return [line for line in told.replace("\\\n", " ").splitlines() if line.strip()]


def test_there_are_locks_of_every_kind() -> None:
    assert {"run.txt", "dev.txt", "peers.txt"} <= {lock.name for lock in LOCKS}
    assert NPM_LOCKS
    assert GO_LOCKS


@pytest.mark.parametrize("lock", LOCKS, ids=named)
def test_every_requirement_is_pinned_with_its_hashes(lock: Path) -> None:
    for line in requirements(lock):
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("lock", LOCKS, ids=named)
def test_no_requirement_names_an_index(lock: Path) -> None:
    text = lock.read_text()

    assert "://" not in text
    assert not re.search(r"^\s*-(-index-url|-extra-index-url|-find-links|i|f)\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=named)
def test_every_npm_package_is_locked_with_its_hash_and_names_no_registry(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]

    for name, package in packages.items():
        assert "resolved" not in package, name
        assert name == "" or package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize("lock", GO_LOCKS, ids=named)
def test_every_go_module_is_locked_with_its_hash(lock: Path) -> None:
    for line in lock.read_text().splitlines():
        assert re.fullmatch(r"\S+ v\S+(/go\.mod)? h1:[A-Za-z0-9+/]{43}=", line), line
    assert "replace" not in lock.with_name("go.mod").read_text()
