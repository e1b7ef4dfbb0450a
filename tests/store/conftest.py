import pytest

from dream_api.core.db import Database
from dream_api.core.settings import Settings
from tests.store.shop import Shop, open_shop
from tests.support.instance import House
from tests.support.storefront import Storefront, open_storefront


@pytest.fixture
async def shop(database_settings: Settings, database: Database) -> Shop:
    return await open_shop(database_settings, database)


@pytest.fixture
async def storefront(house: House) -> Storefront:
    return await open_storefront(house)
