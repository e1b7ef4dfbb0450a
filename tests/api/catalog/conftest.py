"""A store beside the cast's saas projects."""

import pytest

from tests.support.instance import Account, House, open_account


@pytest.fixture
async def shop(house: House) -> Account:
    """A store of Alice's kind: it sells things once."""
    return await open_account(house.database, "Shop", "store")
