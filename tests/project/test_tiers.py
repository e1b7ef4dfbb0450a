"""The tiers of the suite and the budgets of its folders."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.budgets import BUDGETS, FolderSeconds, folder_of

ROOT = Path(__file__).parents[2]
# One that is marked `both`, one that is not, and one for PostgreSQL only.
MODULES = ["tests/core/test_events.py", "tests/keys/test_revoke.py", "tests/server/test_workers.py"]


def collected(*options: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *options, *MODULES],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_what_one_tier_leaves_out_the_other_runs() -> None:
    default, rest = collected(), collected("--tier", "rest")

    assert {name.partition("::")[0] for name in default} == set(MODULES)
    assert {name.partition("::")[0] for name in rest} == {"tests/keys/test_revoke.py"}
    assert {name for name in default if "postgres" in name and "test_revoke" in name} == set()
    assert {name.replace("sqlite", "postgres") for name in default if "test_revoke" in name} == rest
    of_both = {name for name in default if "test_events" in name}
    assert any("postgres" in name for name in of_both)
    assert {name.replace("sqlite", "postgres") for name in of_both if "sqlite" in name} <= of_both


def test_every_folder_of_tests_has_a_budget() -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}

    assert BUDGETS.keys() == folders
    assert folder_of("tests/api/catalog/test_coupons.py::test_x[a/b]") == "api"


def report(nodeid: str, cpu_seconds: float) -> pytest.TestReport:
    properties: list[tuple[str, object]] = [("cpu_seconds", cpu_seconds)]
    return pytest.TestReport(nodeid, ("", 0, ""), {}, "passed", None, "call", user_properties=properties)


def test_a_folder_that_exceeds_its_budget_fails_the_run(request: pytest.FixtureRequest) -> None:
    folders = FolderSeconds({"keys": 10, "usage": 10})
    session = request.session
    before = session.exitstatus
    for folder, seconds in (("keys", 6), ("usage", 9), ("keys", 5)):
        folders.pytest_runtest_logreport(report(f"tests/{folder}/test_it.py::test_it", seconds))

    try:
        session.exitstatus = pytest.ExitCode.OK
        folders.pytest_sessionfinish(session)
        assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    finally:
        session.exitstatus = before
    assert folders.exceeded() == ["tests/keys took 11 processor seconds, and its budget is 10."]
