"""What a store has to sell: stock, and what is held of it."""

from dream_api.store.stock import InventoryBelowHeld, inventory_of, put_inventory

__all__ = ["InventoryBelowHeld", "inventory_of", "put_inventory"]
