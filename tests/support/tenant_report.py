"""Fails the test in which our code executed a statement on tenant tables that names no tenant.

What was found is reported at the end of the test's setup, call or teardown, whatever the code made of the statement's
result or of an error. A run of the whole suite also fails where no test needed an entry of the list of statements
across tenants.
"""

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support import preloaded
from tests.support.cross_tenant_statements import CROSS_TENANT
from tests.support.tenant_statements import TenantCheck

USED = "cross_tenant_statements"
check = TenantCheck()


def pytest_configure(config: pytest.Config) -> None:
    check.listen()
    with tempfile.NamedTemporaryFile(prefix="tenant-statements-", delete=False) as file:
        preloaded.tenant_report = Path(file.name)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(UnusedEntries(is_complete=_is_whole_suite(config)))


def pytest_unconfigure() -> None:
    if preloaded.tenant_report is not None:
        preloaded.tenant_report.unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    return (yield from report_violations())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    return (yield from report_violations())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    return (yield from report_violations())


def report_violations() -> Generator[None, Any, Any]:
    """Around a phase of a test: fails it where there are some; an error of its own gets them as notes."""
    try:
        result = yield
    except BaseException as problem:
        for violation in _violations():
            problem.add_note(violation)
        raise
    found = _violations()
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    return result


def _violations() -> list[str]:
    if preloaded.tenant_report is not None:
        check.read(preloaded.tenant_report)
    return check.take_violations()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Each report carries the entries that were needed for the first time in this process."""
    report = yield
    if check.used:
        report.user_properties.append((USED, sorted(check.used)))
        check.used.clear()
    return report


class UnusedEntries:
    """Of a run of the whole suite: the entries of the list that no test needed."""

    def __init__(self, *, is_complete: bool) -> None:
        self.used: set[str] = set()
        self.is_complete = is_complete

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.used.update(dict(report.user_properties).get(USED, ()))  # type: ignore[arg-type]

    def unused(self) -> list[str]:
        return sorted(set(CROSS_TENANT) - self.used) if self.is_complete else []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus != pytest.ExitCode.OK:
            self.is_complete = False
        elif self.unused():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for entry in self.unused():
            terminalreporter.write_line(f"No test needs {entry} in tests/support/cross_tenant_statements.py.", red=True)


def _is_whole_suite(config: pytest.Config) -> bool:
    """Everything on SQLite at least, which executes all there is."""
    options = config.option
    chosen = (options.keyword, options.markexpr, options.deselect, options.only_database, options.tier == "rest")
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(chosen) and not options.collectonly
