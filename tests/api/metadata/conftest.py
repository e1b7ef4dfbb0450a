"""A seller of plans, and what these tests share with others."""

import pytest

from tests.billing.developer import Seller, monthly
from tests.store.conftest import shop, storefront
from tests.support.instance import Instance

__all__ = ["CAMPAIGN", "seller", "shop", "storefront"]

CAMPAIGN = {"campaign": "spring", "ünïcode": "“ok” 👍\n", "empty later": "x"}


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    alice = Seller(instance.api, instance.alice.sk)
    await alice.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    return alice
