"""Somebody at a browser."""

import pytest

from tests.dashboard.account.browser import Browser
from tests.support.instance import Instance


@pytest.fixture
def browser(instance: Instance) -> Browser:
    return Browser(instance)
