"""The stock that is told with a tier; it is the store's."""

from dream_api import store
from dream_api.catalog.api.shapes import TierChange
from dream_api.core.db import Tx
from dream_api.customers import Scope


async def put_stock(tx: Tx, scope: Scope, tier_id: str, asked: TierChange) -> None:
    """What was left out stays."""
    if "inventory" in asked.model_fields_set:
        await store.put_inventory(tx, scope, tier_id, asked.inventory)
    if "low_inventory" in asked.model_fields_set:
        await store.warn_at(tx, scope, tier_id, asked.low_inventory)
