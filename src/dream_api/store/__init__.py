"""The store: inventory, carts, orders and refunds.

    checkout = await store.create_checkout(tx, project, scope, cart)     order, stock and checkout, together
    checkout = await billing.open_page(context, account, checkout)      the page to pay on
    …                                                                   billing's event updates the order

The store handles billing's events of checkouts and refunds; app.py registers the handlers.
"""

from dream_api.store.billing_events import on_checkout_completed, on_checkout_expired, on_refund
from dream_api.store.cart_checkout import MOST_ITEMS, MOST_OF_ONE, Cart, Item, MixedCurrencies, StoreOnly
from dream_api.store.cart_checkout import create_checkout as create_checkout
from dream_api.store.integrity import checks
from dream_api.store.inventory import (
    Inventory,
    InventoryBelowHeld,
    get_inventory,
    set_inventory,
    set_low_stock_threshold,
    set_tier_inventory,
)
from dream_api.store.order_queries import events_of, lines_of, order_of_checkout, orders_of, page_of_orders
from dream_api.store.orders import OrderPaid, Status, require_unpaid, update_metadata
from dream_api.store.orders import find_order as find_order
from dream_api.store.refunds import OrderNotPaid, RefundRequest, find_payment
from dream_api.store.refunds import create_refund as create_refund
from dream_api.store.stock_holds import SoldOut

__all__ = [
    "MOST_ITEMS",
    "MOST_OF_ONE",
    "Cart",
    "Inventory",
    "InventoryBelowHeld",
    "Item",
    "MixedCurrencies",
    "OrderNotPaid",
    "OrderPaid",
    "RefundRequest",
    "SoldOut",
    "Status",
    "StoreOnly",
    "checks",
    "create_checkout",
    "create_refund",
    "events_of",
    "find_order",
    "find_payment",
    "get_inventory",
    "lines_of",
    "on_checkout_completed",
    "on_checkout_expired",
    "on_refund",
    "order_of_checkout",
    "orders_of",
    "page_of_orders",
    "require_unpaid",
    "set_inventory",
    "set_low_stock_threshold",
    "set_tier_inventory",
    "update_metadata",
]
