"""The pages of customers: all of them, and each one."""

from dream_api.customers.views import changing, listing, one

ROUTERS = (listing.router, one.router, changing.router)
