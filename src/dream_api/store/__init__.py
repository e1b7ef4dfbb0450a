"""What a store sells: stock, carts and orders.

    checkout = await store.begin_checkout(tx, project, scope, cart)     order, stock and checkout, together
    checkout = await billing.open_page(desk, account, checkout)         the page to pay on
    …                                                                   billing tells how it ended: the order follows

The store hears of checkouts and refunds by billing's events; app.py wires them.
"""

from dream_api.store.billing_events import on_checkout_completed, on_checkout_expired, on_refund
from dream_api.store.cart_checkout import MOST_ITEMS, MOST_OF_ONE, Cart, Item, MixedCurrencies, StoreOnly
from dream_api.store.cart_checkout import begin as begin_checkout
from dream_api.store.integrity import checks
from dream_api.store.inventory import (
    Inventory,
    InventoryBelowHeld,
    inventory_of,
    put_inventory,
    set_low_stock_threshold,
    set_tier_inventory,
)
from dream_api.store.order_queries import events_of, lines_of, order_of, orders_of, page_of
from dream_api.store.orders import OrderPaid, Status, refuse_paid
from dream_api.store.orders import find as find_order
from dream_api.store.refunds import Asked, OrderNotPaid, find_payment
from dream_api.store.refunds import begin as begin_refund
from dream_api.store.stock_holds import SoldOut

__all__ = [
    "MOST_ITEMS",
    "MOST_OF_ONE",
    "Asked",
    "Cart",
    "Inventory",
    "InventoryBelowHeld",
    "Item",
    "MixedCurrencies",
    "OrderNotPaid",
    "OrderPaid",
    "SoldOut",
    "Status",
    "StoreOnly",
    "begin_checkout",
    "begin_refund",
    "checks",
    "events_of",
    "find_order",
    "find_payment",
    "inventory_of",
    "lines_of",
    "on_checkout_completed",
    "on_checkout_expired",
    "on_refund",
    "order_of",
    "orders_of",
    "page_of",
    "put_inventory",
    "refuse_paid",
    "set_low_stock_threshold",
    "set_tier_inventory",
]
