"""End users of a project and mode: who they are, their plan and their period."""

from dream_api.customers.batch_lookup import CustomerKey, NewCustomer, bulk_create, find_many, last_numbers
from dream_api.customers.billing_period import SILENCE, has_lapsed, period_of
from dream_api.customers.integrity import checks
from dream_api.customers.queries import customers_by_plan, live_customers_by_platform, page_of
from dream_api.customers.rules import (
    CACHE_KIND,
    LONGEST_USER_ID,
    Customer,
    CustomerBlocked,
    CustomerDeleted,
    create,
    delete,
    ensure,
    find,
    find_by_number,
    find_user,
    get_or_create,
    lock,
    require_active,
    require_not_deleted,
    set_plan,
    update,
    validate_user_id,
)

__all__ = [
    "CACHE_KIND",
    "LONGEST_USER_ID",
    "SILENCE",
    "Customer",
    "CustomerBlocked",
    "CustomerDeleted",
    "CustomerKey",
    "NewCustomer",
    "bulk_create",
    "checks",
    "create",
    "customers_by_plan",
    "delete",
    "ensure",
    "find",
    "find_by_number",
    "find_many",
    "find_user",
    "get_or_create",
    "has_lapsed",
    "last_numbers",
    "live_customers_by_platform",
    "lock",
    "page_of",
    "period_of",
    "require_active",
    "require_not_deleted",
    "set_plan",
    "update",
    "validate_user_id",
]
