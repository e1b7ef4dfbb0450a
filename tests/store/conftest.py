import pytest

from dream_api.core.db import Database
from dream_api.core.settings import Settings
from tests.store.shop import Shop, open_shop
from tests.support.instance import Instance
from tests.support.storefront import Storefront, open_storefront


@pytest.fixture
async def shop(database_settings: Settings, database: Database) -> Shop:
    return await open_shop(database_settings, database)


@pytest.fixture
async def storefront(instance: Instance) -> Storefront:
    return await open_storefront(instance)
