"""Endpoints of the store: cart checkout, orders and refunds."""

from dream_api.api.store import cart_checkout, orders, refunds

ROUTERS = (cart_checkout.endpoints, orders.endpoints, refunds.endpoints)
