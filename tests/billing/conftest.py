"""A shop with something to buy."""

import pytest

from tests.billing.shop import Shopping, monthly
from tests.support.instance import Instance


@pytest.fixture
async def shopping(instance: Instance) -> Shopping:
    """Alice sells Pro for 19.99 USD a month, and Team for 49.99 USD a month."""
    opened = Shopping(instance, instance.alice)
    await opened.sell("pro", monthly("19.99"), number=1)
    await opened.sell("team", monthly("49.99"), number=2)
    return opened
