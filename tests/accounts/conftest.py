"""Somebody at a browser."""

import pytest

from tests.accounts.browser import Browser
from tests.support.house import House


@pytest.fixture
def browser(house: House) -> Browser:
    return Browser(house)
