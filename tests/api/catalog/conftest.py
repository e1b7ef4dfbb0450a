"""A store beside the cast's saas projects."""

import pytest

from tests.support.instance import Account, Instance, open_account


@pytest.fixture
async def shop(instance: Instance) -> Account:
    """A store of Alice's kind: it sells things once."""
    return await open_account(instance.database, "Shop", "store")
