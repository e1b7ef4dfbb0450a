"""What programs ask of the store."""

from dream_api.store.api import carts, orders, refunds

ROUTERS = (carts.router, orders.router, refunds.router)
