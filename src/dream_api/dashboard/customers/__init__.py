"""Pages of customers: the list and one page for each."""

from dream_api.dashboard.customers import detail, edit
from dream_api.dashboard.customers import list as listing

ROUTERS = (listing.router, detail.router, edit.router)
