"""What every test has: a closed network and a clock that is put right."""

import gc
import ipaddress
import os
import socket
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import hypothesis
import pytest
import structlog

from dream_api.core import clock as the_clock
from tests.support.postgres import quick_folder
from tests.support.server import Server

pytest_plugins = [
    "tests.support.instance",
    "tests.support.databases",
    "tests.support.tiers",
    "tests.support.budgets",
    "tests.support.tenant_report",
]


# Tracebacks with every local variable take seconds to draw.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


# How long one example takes is the machine's affair.
hypothesis.settings.register_profile(
    "busy",
    parent=hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("DREAM_")]:
        del os.environ[name]  # the settings of whoever runs the tests are not the tests' settings
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", quick_folder())
    Server.is_forked = True


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not look through it again during each test."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    _spread_slow(items)


def _spread_slow(items: list[pytest.Item]) -> None:
    """Long ones, which mostly wait, stand evenly among the others: each process has its share of them, and at no time
    all run at once, nor at the end one alone."""
    places: list[tuple[float, pytest.Item]] = []
    for is_slow in (False, True):
        group = [item for item in items if (item.get_closest_marker("slow") is not None) == is_slow]
        places += [(number / len(group), item) for number, item in enumerate(group)]
    items[:] = [item for _, item in sorted(places, key=lambda place: place[0])]


# Counts have hours, days and months, and so have the answers of nearly every test: none of those ends by itself in the
# middle of one. (What takes longer than this, and counts by the hour, sees to it itself.)

_SECONDS_OF_A_TEST = 10


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """An hour that is about to end is waited for."""
    ends_in = (the_clock.HOUR - the_clock.now() % the_clock.HOUR) / the_clock.SECOND
    if ends_in < _SECONDS_OF_A_TEST:
        time.sleep(ends_in)


# The network is closed. (An audit hook stays until the process ends, and sees every socket of Python's own;
# those that uvloop opens by itself are out of its sight.)


class NetworkClosed(RuntimeError):
    """A test tried to reach another machine."""


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> None:
    sys.addaudithook(_refuse_other_machines)


def _refuse_other_machines(event: str, args: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto"):
        return
    one, address = args
    if one.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise NetworkClosed(f"Tests reach this machine only, not {address[0]} port {address[1]}.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def clock() -> Iterator[ModuleType]:
    """The product's clock, which a test may move; back to the machine's time after each test."""
    yield the_clock
    the_clock.reset()
