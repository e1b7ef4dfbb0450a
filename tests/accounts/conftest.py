"""A house in which nobody works off jobs by themselves."""

from collections.abc import AsyncIterator

import pytest

from dream_api.core.settings import Settings
from tests.accounts.browser import Browser
from tests.support.house import Cast, House, open_house


@pytest.fixture
async def house(database_settings: Settings, cast: Cast) -> AsyncIterator[House]:
    async with open_house(database_settings.model_copy(update={"workers": "outside"}), cast=cast) as opened:
        yield opened


@pytest.fixture
def browser(house: House) -> Browser:
    return Browser(house)
