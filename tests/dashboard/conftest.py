from collections.abc import AsyncIterator

import pytest

from dream_api.core.settings import Settings
from tests.support.house import Cast, House, open_house


@pytest.fixture
async def house(database_settings: Settings, cast: Cast) -> AsyncIterator[House]:
    """No job changes a row between the moment it is told and the moment it is recomputed."""
    async with open_house(database_settings.model_copy(update={"workers": "outside"}), cast=cast) as opened:
        yield opened
