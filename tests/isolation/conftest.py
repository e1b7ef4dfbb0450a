"""The cast on an instance that sells its levels, so that every operation's example can be answered."""

from collections.abc import AsyncIterator

import pytest

from dream_api.core.settings import Settings
from tests.support.instance import Cast, House, open_house


@pytest.fixture
async def house(database_settings: Settings, cast: Cast) -> AsyncIterator[House]:
    async with open_house(database_settings.model_copy(update={"home_mode": "test"}), cast=cast) as opened:
        yield opened
