"""The pages of customers: all of them, and each one."""

from dream_api.dashboard.customers import detail, edit
from dream_api.dashboard.customers import list as listing

ROUTERS = (listing.router, detail.router, edit.router)
