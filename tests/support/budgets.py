"""Processor seconds that the tests of each folder may take: the run fails where a folder takes more.

Counted are the seconds of the test's process and of the processes that it started and waited for, not the time on the
wall: the figures are nearly the same on a machine that is busy with something else.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

# One and a half times what `make test` takes on a quiet machine, and at least ten: the first test of each process makes
# what all others copy. The tiers `rest` and `all` may take twice that.
BUDGETS: dict[str, int] = {
    "analytics": 10,
    "api": 100,
    "audit": 10,
    "auth": 26,
    "billing": 108,
    "browser": 48,
    "catalog": 10,
    "cli": 110,
    "core": 135,
    "crash": 55,
    "customers": 10,
    "dashboard": 66,
    "docs": 20,
    "gateways": 20,
    "hosted": 32,
    "identity": 10,
    "isolation": 57,
    "keys": 10,
    "metering": 50,
    "platforms": 10,
    "project": 32,
    "retention": 24,
    "server": 10,
    "store": 27,
    "tenancy": 10,
    "usage": 72,
}
# In the tiers `rest` and `all`, beside that: long tests that no other tier has, on both databases.
LONG_TESTS: dict[str, int] = {"billing": 30, "crash": 110, "dashboard": 40, "isolation": 220}
_CPU_SECONDS = "cpu_seconds"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        is_default = config.getoption("--tier") in (None, "default") and not config.getoption("--only-database")
        config.pluginmanager.register(FolderSeconds(BUDGETS if is_default else _of_long_tiers()))


def _of_long_tiers() -> dict[str, int]:
    return {name: 2 * seconds + LONG_TESTS.get(name, 0) for name, seconds in BUDGETS.items()}


_cpu_seconds = pytest.StashKey[float]()


def cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_cpu_seconds] = cpu_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Each phase's report carries the processor seconds since the one before."""
    report = yield
    now = cpu_seconds()
    report.user_properties.append((_CPU_SECONDS, now - item.stash[_cpu_seconds]))
    item.stash[_cpu_seconds] = now
    return report


def folder_of(nodeid: str) -> str:
    folders = nodeid.partition("::")[0].split("/")[1:-1]
    return folders[0] if folders else "."


class FolderSeconds:
    """Reports at the end how long the tests of each folder took, and fails the run where a budget is exceeded."""

    def __init__(self, budgets: dict[str, int]) -> None:
        self.budgets = budgets
        self.seconds: Counter[str] = Counter()
        self.cpu_seconds: Counter[str] = Counter()
        self.tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        folder = folder_of(report.nodeid)
        self.seconds[folder] += report.duration
        self.cpu_seconds[folder] += dict(report.user_properties).get(_CPU_SECONDS, 0)
        self.tests[folder] += report.when == "call"

    def exceeded(self) -> list[str]:
        return [
            f"tests/{folder} took {seconds:.0f} processor seconds, and its budget is {self.budgets[folder]}."
            for folder, seconds in self.cpu_seconds.items()
            if folder in self.budgets and seconds > self.budgets[folder]
        ]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.exceeded() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.tests:
            return
        terminalreporter.section("seconds of each folder")
        terminalreporter.write_line("    wall  processor  budget  tests")
        for folder, seconds in [*self.seconds.most_common(), ("together", self.seconds.total())]:
            is_all = folder == "together"
            cpu = self.cpu_seconds.total() if is_all else self.cpu_seconds[folder]
            tests = self.tests.total() if is_all else self.tests[folder]
            budget = "" if is_all else self.budgets.get(folder, "")
            terminalreporter.write_line(f"{seconds:8.2f}  {cpu:9.2f}  {budget:>6}  {tests:5}  {folder}")
        for line in self.exceeded():
            terminalreporter.write_line(line, red=True)
