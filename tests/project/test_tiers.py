"""The tiers of the suite and the budgets of its folders."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.budgets import BUDGETS, FolderSeconds, folder_of

ROOT = Path(__file__).parents[2]
# One that is marked `both`, one that is not, one for PostgreSQL only, and one with a repetition marked `rest`.
REPEATED = "tests/crash/test_kill.py"
ON_POSTGRES = "tests/metering/test_distributed_database.py"
MODULES = ["tests/core/test_events.py", "tests/keys/test_revoke.py", ON_POSTGRES, REPEATED]


def collected(*options: str, names: Sequence[str] = MODULES) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *options, *names],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return {line for line in done.stdout.splitlines() if "::" in line}


@pytest.fixture(scope="module")
def default() -> set[str]:
    return collected()


@pytest.fixture(scope="module")
def rest() -> set[str]:
    return collected("--tier", "rest")


def test_what_one_tier_leaves_out_the_other_runs(default: set[str], rest: set[str]) -> None:
    assert {name.partition("::")[0] for name in default} == set(MODULES)
    assert {name.partition("::")[0] for name in rest} == {"tests/keys/test_revoke.py", REPEATED}
    assert {name for name in default if "postgres" in name and "test_revoke" in name} == set()
    assert {name.replace("sqlite", "postgres") for name in default if "test_revoke" in name} == {
        name for name in rest if "test_revoke" in name
    }
    of_both = {name for name in default if "test_events" in name}
    assert any("postgres" in name for name in of_both)
    assert {name.replace("sqlite", "postgres") for name in of_both if "sqlite" in name} <= of_both


def test_a_long_repetition_runs_in_the_rest_on_both_databases_or_where_it_is_named(
    default: set[str], rest: set[str]
) -> None:
    few, many = ({name for name in tier if name.startswith(REPEATED)} for tier in (default, rest))
    test = f"{REPEATED}::test_a_killed_server_loses_nothing_and_counts_nothing_twice"

    assert few == {f"{test}[sqlite-2]", f"{test}[postgres-2]"}
    assert many == {f"{test}[sqlite-5]", f"{test}[postgres-5]"}
    assert collected(names=[f"{test}[postgres-5]"]) == {f"{test}[postgres-5]"}


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
