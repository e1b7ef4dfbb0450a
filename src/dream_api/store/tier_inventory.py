"""The stock that is told with a tier."""

from dream_api.catalog import TierChange
from dream_api.core.db import Tx
from dream_api.platforms import Scope
from dream_api.store.inventory import put_inventory, warn_at


async def put_stock(tx: Tx, scope: Scope, tier_id: str, asked: TierChange) -> None:
    """What was left out stays."""
    if "inventory" in asked.model_fields_set:
        await put_inventory(tx, scope, tier_id, asked.inventory)
    if "low_inventory" in asked.model_fields_set:
        await warn_at(tx, scope, tier_id, asked.low_inventory)
