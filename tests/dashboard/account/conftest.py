"""Somebody at a browser."""

import pytest

from tests.dashboard.account.browser import Browser
from tests.support.instance import House


@pytest.fixture
def browser(house: House) -> Browser:
    return Browser(house)
