"""The cast on an instance that sells its levels, so that every operation's example can be answered."""

from collections.abc import AsyncIterator

import pytest

from dream_api.core.settings import Settings
from tests.support.instance import Cast, Instance, open_instance


@pytest.fixture
async def instance(database_settings: Settings, cast: Cast) -> AsyncIterator[Instance]:
    async with open_instance(database_settings.model_copy(update={"home_mode": "test"}), cast=cast) as opened:
        yield opened
